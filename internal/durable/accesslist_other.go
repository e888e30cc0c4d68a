//go:build unix && !linux

package durable

// hasAccessList cannot detect access lists on this system.
func hasAccessList(string) bool { return false }
