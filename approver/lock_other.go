//go:build !unix

package approver

import "os"

// lockFile does nothing where files cannot be locked the way Unix does.
func lockFile(*os.File) error { return nil }
