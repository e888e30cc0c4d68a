//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

package durable

import "os"

// lock does nothing: bbolt locks the file, without checks against changes by other programs.
func lock(*os.File, bool) (locked bool, err error) { return false, nil }

func unlock(*os.File) error { return nil }
