package faulttest

import (
	"flag"
	"testing"
)

// full runs the tests at the size that the claims are made for; without it they are smaller, so that
// go test ./... stays quick, and with -short smaller still.
var full = flag.Bool("full", false, "run the fault tests at full size")

// chance decides what goes wrong in the tests that run through the fault proxy.
var chance = flag.Uint64("chance", 33, "the seed of the fault proxy")

// size is how much of something a test does: all, or a part that is quick.
func size(all, quick int) int {
	switch {
	case *full:
		return all
	case testing.Short():
		return max(1, quick/2)
	}
	return quick
}
