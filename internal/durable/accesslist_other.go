//go:build unix && !linux

package durable

// hasAccessList cannot look for access lists here.
func hasAccessList(string) bool { return false }
