// Package scenario holds tests of whole jobs: the client of this module against its sandbox, over HTTP.
package scenario
