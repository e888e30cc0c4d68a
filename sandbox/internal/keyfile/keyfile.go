// Package keyfile writes keys to files that only their owner can read, and never over one that is there.
package keyfile

import (
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"

	"github.com/qredo-go/qredo/internal/durable"
)

// Write writes a new file, in a folder that is made if need be. When it returns, both are on the disk.
func Write(dir, name string, data []byte) error {
	if err := durable.MkdirAll(dir); err != nil {
		return err
	}
	return durable.CreateWhole(filepath.Join(dir, name), data)
}

// CheckNotAlone refuses a folder that has a secret without what belongs to it: another would be made in its place.
func CheckNotAlone(dir, secret, belongs string) error {
	if _, err := os.Stat(filepath.Join(dir, secret)); err == nil {
		return fmt.Errorf("%s has %s and no %s: put that beside it, or move it away for a new one; it is not written over", dir, secret, belongs)
	}
	return nil
}

// PEM encodes a key or a certificate.
func PEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
