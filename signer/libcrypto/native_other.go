//go:build !((linux && !android && (amd64 || arm64)) || (darwin && !ios))

package libcrypto

import (
	"crypto"
	"crypto/rsa"
	"errors"
	"runtime"
	"time"
)

// No library is loaded here: see native.go for what these are.

var defaultLibraries []string

var errElsewhere = errors.New("this package loads no library on " + runtime.GOOS + "/" + runtime.GOARCH)

type nativeKey struct{ library string }

type slotContexts struct{}

func openMemory(*config, *rsa.PrivateKey) (*nativeKey, error) { return nil, errElsewhere }

func openURI(*config, string) (*nativeKey, *rsa.PublicKey, error) { return nil, nil, errElsewhere }

func (*nativeKey) sign(*slot, crypto.Hash) error { return errElsewhere }

func (*nativeKey) threadTime() time.Duration { return 0 }

func (*nativeKey) freeSlot(*slot) {}

func (*nativeKey) free() {}
