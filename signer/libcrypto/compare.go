package libcrypto

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"fmt"
	"runtime"
	"time"
)

// start runs something that may block, for as long as the deadline lasts. A later result is freed.
func start[T any](cfg *config, open func() (T, error), free func(T)) (T, error) {
	type result struct {
		value T
		err   error
	}
	results, left := make(chan result), make(chan struct{})
	go func() {
		value, err := open()
		select {
		case results <- result{value, err}:
		case <-left:
			if err == nil {
				free(value)
			}
		}
	}()
	r, err := await(context.Background(), cfg, results, nil)
	if err != nil {
		close(left)
		return r.value, err
	}
	return r.value, r.err
}

// trial is a digest that no request has.
func trial() []byte {
	h := crypto.SHA256.New()
	h.Write([]byte("qredo signer/libcrypto: a trial, not a request"))
	return h.Sum(nil)
}

// compared is a key in the library, and how long signatures took.
type compared struct {
	*nativeKey
	goTook, libraryTook time.Duration
}

// compare lets the library sign if it does so correctly and, in ModeAuto, faster than Go.
func (c *core) compare() {
	found, err := start(&c.config, func() (compared, error) { return try(&c.config, c.goKey) }, func(f compared) { f.free() })
	if err != nil {
		c.impl.Reason = err.Error()
		return
	}
	fast, times := faster(found.goTook, found.libraryTook)
	c.impl.Library, c.impl.Times = found.library, times
	switch {
	case c.mode == ModeLibcrypto:
		c.impl.Name, c.impl.Reason = ModeLibcrypto, "asked for"
	case fast:
		c.impl.Name, c.impl.Reason = ModeLibcrypto, fmt.Sprintf("%.1f times as fast as Go", times)
	default:
		c.impl.Reason = fmt.Sprintf("%s is not faster: %.2f times as fast", found.library, times)
		found.free()
		return
	}
	c.use(found.nativeKey)
}

// try has both sign the same digest, in turn, and takes the minimum time of each. It measures processor time, because the
// machine may be busy with other things.
func try(cfg *config, key *rsa.PrivateKey) (compared, error) {
	native, err := openMemory(cfg, key)
	if err != nil {
		return compared{}, err
	}
	runtime.LockOSThread() // whose time is taken
	defer runtime.UnlockOSThread()
	s, hash := newSlot(), crypto.SHA256
	defer native.freeSlot(s)
	copy(s.digest[:], trial())
	const fewest, most, budget = 2, 5, 10 * time.Millisecond
	found, began := compared{nativeKey: native}, time.Now()
	for i := 0; i < most && (i < fewest || time.Since(began) < budget); i++ {
		start := native.threadTime()
		err := native.sign(s, hash)
		var got []byte
		if err == nil {
			got, err = s.verified(&key.PublicKey, hash)
		}
		between := native.threadTime()
		want, goErr := rsa.SignPKCS1v15(nil, key, hash, s.digest[:hash.Size()])
		end := native.threadTime()
		if err == nil && (goErr != nil || !bytes.Equal(got, want)) {
			err = errWrong
		}
		if err != nil {
			native.freeSlot(s)
			native.free()
			return compared{}, err
		}
		found.libraryTook, found.goTook = least(found.libraryTook, between-start), least(found.goTook, end-between)
	}
	return found, nil
}

func least(a, b time.Duration) time.Duration {
	if a == 0 {
		return b
	}
	return min(a, b)
}

// faster decides from the two times whether the library is worth using, and returns how many times as fast as Go it is.
func faster(goTook, libraryTook time.Duration) (bool, float64) {
	const margin = 1.1 // less is noise, and not worth another library in the program
	times := float64(goTook) / float64(max(libraryTook, 1))
	return times >= margin, times
}
