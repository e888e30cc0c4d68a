//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

package durable

import "os"

// lock leaves it to bbolt: nothing is said about what another program may be changing.
func lock(*os.File, bool) (locked bool, err error) { return false, nil }

func unlock(*os.File) error { return nil }
