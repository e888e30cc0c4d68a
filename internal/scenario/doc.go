// Package scenario holds tests of what no one file does: whole jobs against the sandbox, over HTTP, and what every call
// has in common, against answers that are made here.
package scenario
