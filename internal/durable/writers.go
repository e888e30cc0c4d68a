package durable

import (
	"fmt"
	"io/fs"
)

// OthersCanWriteError says that a file is not safe from other users of the machine.
type OthersCanWriteError struct {
	Path  string // the file, a folder on the way to it, or a symbolic link there
	Mode  fs.FileMode
	Owner int    // whose it is, if it is neither this user's nor root's; else -1
	Fix   string // a command that changes it
}

// Error says what to do.
func (e *OthersCanWriteError) Error() string {
	what := "others can write to " + e.Path
	switch {
	case e.Owner >= 0:
		what = fmt.Sprintf("%s belongs to user ID %d, who can change it and what it refers to", e.Path, e.Owner)
	case e.Mode.IsDir():
		what = "others can replace files in the folder " + e.Path
	}
	return fmt.Sprintf("%s (%s), so its content may not be yours: check it, then run %s, or pass --insecure-files", what, e.Mode, e.Fix)
}

// CheckWriters returns an [*OthersCanWriteError] if other users can write to a file, or replace it: as OpenSSH requires
// of key files, each folder from the root on, each symbolic link on the way and the file itself must belong to this user
// or to root, and neither a group nor all others may write to it. In a folder with the sticky bit, such as /tmp,
// everybody has files of their own. A missing file is accepted, and special files, such as the null device, are not
// checked. An ACL that lets others write shows as permission of the group. On Windows it is always nil: permissions there
// are access lists, which Go does not read.
func CheckWriters(path string) error { return checkWriters(path) }

// OthersCanReadError says that a file with a secret can be read by other users of the machine.
type OthersCanReadError struct {
	Path string
	Mode fs.FileMode
}

// Error says what to do.
func (e *OthersCanReadError) Error() string {
	return fmt.Sprintf("others can read %s (%s), and it contains a secret: assume that they know it, or at least run chmod 600 %s", e.Path, e.Mode, e.Path)
}

// CheckPrivate is CheckWriters for a file with a secret: one that other users can read is an [*OthersCanReadError].
func CheckPrivate(path string) error {
	if err := CheckWriters(path); err != nil {
		return err
	}
	return checkReaders(path)
}
