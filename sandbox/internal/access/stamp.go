package access

import (
	"crypto/sha256"
	"strconv"
	"time"
)

// tolerance is how far a timestamp may be off.
const tolerance = 5 * time.Minute

// stale reports whether a timestamp is not a number of seconds, or too far off.
func stale(timestamp string, now time.Time) bool {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return true
	}
	off := now.Unix() - seconds
	limit := int64(tolerance / time.Second)
	return off > limit || off < -limit
}

// wholeSeconds cuts a stamp in nanoseconds, as one client sent it, to seconds.
func wholeSeconds(stamp string) string {
	const nanoseconds = 16 // digits and more; a stamp in seconds will have 10 for long
	if len(stamp) < nanoseconds {
		return stamp
	}
	n, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return ""
	}
	return strconv.FormatInt(n/int64(time.Second), 10)
}

// maxNonce is how long a nonce may be.
const maxNonce = 1 << 10

// nonce stands for a stamp that a key can use once: they are kept for as long as the sandbox lives, and a client chooses how
// long they are.
type nonce [sha256.Size]byte

func newNonce(key *Key, text string) nonce { return sha256.Sum256([]byte(key.ID + "\x00" + text)) }

// useOnce reports whether a nonce was not used before, and uses it up.
func (k *Keys) useOnce(n nonce) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, used := k.nonces[n]
	k.nonces[n] = struct{}{}
	return !used
}
