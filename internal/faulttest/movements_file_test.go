package faulttest

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/inbox"
)

// TestNoMovementMissed has a program keep its inbox in a file and its books in another, while a fifth of its requests
// goes wrong and it and the sandbox are killed again and again. In the end every movement is in the books, and duplicates
// have the same key, wallet and amount.
func TestNoMovementMissed(t *testing.T) {
	if path := os.Getenv(movementsConfig); path != "" { // this is one of the processes that are killed
		bookInFile(t, path)
		return
	}
	w := openMovements(t, false)
	defer w.end()
	w.orders.Folder = t.TempDir()
	w.programs = []movementProgram{{test: t.Name(), orders: w.orders}}
	w.traffic.booked = func() int { return lines(w.orders.books()) }
	w.run(blow{size(50, 5), w.strikeProgram}, blow{size(20, 2), w.strikeSandbox})

	settled := func() int {
		booked, _ := readBooks(t, w.orders.books())
		return len(booked)
	}
	movements, _ := w.traffic.moved(t.Context(), t, time.Time{})
	assert.True(t, comes(t, len(movements), settled), "all is booked")
	w.stop()
	booked, repeats := readBooks(t, w.orders.books())
	w.traffic.check(t, booked, time.Time{})
	w.report(repeats)

	store, err := inbox.OpenStore(w.orders.inbox())
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	for key, b := range checkInbox(t, w, store) { // what was booked just before the program ended
		assert.Equal(t, booked[key], b, key)
	}
}

// lines counts the lines of a file that is being written.
func lines(path string) int {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0 // not yet
	}
	return bytes.Count(data, []byte{'\n'})
}

// readBooks returns the booked movements, by key, and how many were booked more than once.
func readBooks(t *testing.T, path string) (booked map[string]booking, repeats int) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	data = data[:bytes.LastIndexByte(data, '\n')+1] // it may be being written
	booked = map[string]booking{}
	for s := bufio.NewScanner(bytes.NewReader(data)); s.Scan(); {
		var key string
		var b booking
		_, err := fmt.Sscan(s.Text(), &key, &b.wallet, &b.amount)
		require.NoError(t, err, s.Text())
		if earlier, repeated := booked[key]; repeated {
			assert.Equal(t, earlier, b, key)
			repeats++
		}
		booked[key] = b
	}
	return booked, repeats
}
