//go:build !unix

package durable

// checkWriters does nothing: it supports only Unix permissions.
func checkWriters(string) error { return nil }

// checkReaders does nothing here either.
func checkReaders(string) error { return nil }
