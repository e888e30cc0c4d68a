//go:build !unix

package approver

import "os"

// lockFile does nothing where files cannot be locked the way Unix does.
func lockFile(*os.File) error { return nil }

// links is how many names a file has: that is not known here.
func links(os.FileInfo) uint64 { return 0 }
