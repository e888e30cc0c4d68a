// Package faulttest holds the tests that break things while money is under way: connections, programs and
// the sandbox itself. It has no other code.
package faulttest
