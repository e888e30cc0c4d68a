// Package keyfile writes keys to files that only their owner can read, and never over one that is there.
package keyfile

import (
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Write writes a new file, in a folder that is made if need be.
func Write(dir, name string, data []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Close())
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
