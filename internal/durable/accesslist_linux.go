package durable

import "syscall"

// hasAccessList reports whether a file has an access list in addition to its mode.
func hasAccessList(path string) bool {
	size, err := syscall.Getxattr(path, "system.posix_acl_access", nil)
	return err == nil && size > 0
}
