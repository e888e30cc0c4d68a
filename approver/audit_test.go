package approver

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

var noon = time.Date(2026, 3, 4, 12, 30, 0, 0, time.UTC)

func atNoon() time.Time { return noon }

// newLog writes a log with so many lines and returns its path and lines.
func newLog(t testing.TB, n int) (path string, lines [][]byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "audit.log")
	l, err := OpenAuditLog(path, WithClock(atNoon))
	require.NoError(t, err)
	for i := range n {
		_, err := l.append(Entry{
			Kind: EntryDecision, ActionID: qredo.ActionID(fmt.Sprint("action-", i)), Digest: hashOf(nil), PolicyHash: hashOf(nil),
			Verdict: Approve, Rule: "small \"ones\"", Reason: "amount <= 5 && …\n,\"hash\":\"",
		}, i == n-1)
		require.NoError(t, err)
	}
	require.NoError(t, l.Close())
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	lines = bytes.SplitAfter(data, []byte("\n"))
	return path, lines[:len(lines)-1]
}

func join(lines ...[]byte) []byte { return bytes.Join(lines, nil) }

// requireWrong demands that a log does not verify from a line on.
func requireWrong(t *testing.T, line int, log []byte, opts ...VerifyOption) {
	t.Helper()
	err := VerifyLog(bytes.NewReader(log), opts...)
	var e *LogError
	require.ErrorAs(t, err, &e)
	require.Equal(t, line, e.Line, err)
}

func TestVerifyLogFindsEveryAlteredByte(t *testing.T) {
	_, lines := newLog(t, 1000)
	require.Len(t, lines, 1000)
	log := join(lines...)
	require.NoError(t, VerifyLog(bytes.NewReader(log)))
	seed := uint64(20260304)
	chance := rand.New(rand.NewPCG(seed, seed))
	sample := []int{0, 1, 499, 998, 999}
	for range 3 {
		sample = append(sample, chance.IntN(1000))
	}
	flips := 0
	for _, i := range sample {
		// The lines before are right, which the other tests show: start with the head they leave.
		before := bytes.NewReader(join(lines[:i]...))
		head, _, err := readLog(before, Head{}, 0, nil)
		require.NoError(t, err)
		rest := bytes.Clone(join(lines[i:min(i+2, 1000)]...))
		for pos := range lines[i] {
			for _, mask := range []byte{1 << chance.IntN(8), 0x20, 0xff} {
				rest[pos] ^= mask
				err := verifyFrom(head, rest)
				rest[pos] ^= mask
				var e *LogError
				require.ErrorAs(t, err, &e, "line %d, byte %d, mask %x", i+1, pos, mask)
				require.Equal(t, i+1, e.Line, "byte %d, mask %x: %v", pos, mask, err)
				flips++
			}
		}
		require.NoError(t, verifyFrom(head, rest))
	}
	t.Logf("%d bytes altered in %d of 1000 lines, all found (seed %d)", flips, len(sample), seed)

	// In the whole file, where it takes longer: the lines' first, middle and last bytes.
	for _, i := range sample {
		start := len(join(lines[:i]...))
		for _, pos := range []int{0, len(lines[i]) / 2, len(lines[i]) - 1} {
			log[start+pos] ^= 1
			requireWrong(t, i+1, log)
			log[start+pos] ^= 1
		}
	}
}

// verifyFrom verifies lines that come after a head.
func verifyFrom(head Head, log []byte) error {
	for len(log) > 0 {
		n := bytes.IndexByte(log, '\n') + 1
		if n == 0 {
			return &LogError{Line: int(head.Seq) + 1, Problem: "is incomplete"}
		}
		e, hash, problem := readLine(log[:n], int64(n), head)
		if problem != nil {
			return problem
		}
		head, log = Head{e.Seq, hash}, log[n:]
	}
	return nil
}

func TestVerifyLogFindsWhatHappenedToLines(t *testing.T) {
	_, lines := newLog(t, 20)
	_, others := newLog(t, 25)
	const k = 7 // a line in the middle, counted from 0
	for name, c := range map[string]struct {
		log  []byte
		line int
	}{
		"the first is missing":       {join(lines[1:]...), 1},
		"one is missing":             {join(join(lines[:k]...), join(lines[k+1:]...)), k + 1},
		"some are missing":           {join(join(lines[:k]...), join(lines[k+3:]...)), k + 1},
		"two are reordered":          {join(join(lines[:k]...), lines[k+1], lines[k], join(lines[k+2:]...)), k + 1},
		"the last goes first":        {join(lines[19], join(lines[:19]...)), 1},
		"one is duplicate":           {join(join(lines[:k+1]...), join(lines[k:]...)), k + 2},
		"an old one is added":        {join(join(lines...), lines[3]), 21},
		"an empty line":              {join(join(lines[:k]...), []byte("\n"), join(lines[k:]...)), k + 1},
		"a line that is something":   {join(join(lines[:k]...), []byte("{}\n"), join(lines[k+1:]...)), k + 1},
		"the end of one is missing":  {join(join(lines[:k]...), lines[k][:50], []byte("\n"), join(lines[k+1:]...)), k + 1},
		"the last is cut":            {join(join(lines[:19]...), lines[19][:50]), 20},
		"the last lacks its newline": {bytes.TrimSuffix(join(lines...), []byte("\n")), 20},
		"zeros at the end":           {join(join(lines...), make([]byte, 100)), 21},
		"a line without end":         {join(join(lines...), bytes.Repeat([]byte("x"), 2*maxLine)), 21},
	} {
		t.Run(name, func(t *testing.T) { requireWrong(t, c.line, c.log) })
	}
	t.Run("one is written anew", func(t *testing.T) {
		e, _, problem := readLine(lines[k], 0, Head{Seq: k, Hash: hashBefore(t, lines[k])})
		require.Nil(t, problem)
		e.Verdict = Reject
		forged, _, err := sealed(e)
		require.NoError(t, err)
		requireWrong(t, k+2, join(join(lines[:k]...), forged, join(lines[k+1:]...)))
	})
	t.Run("lines of another log", func(t *testing.T) {
		require.Equal(t, lines[0], others[0])
		e, _, problem := readLine(lines[k], 0, Head{Seq: k, Hash: hashBefore(t, lines[k])})
		require.Nil(t, problem)
		e.Prev = hashOf(nil)
		forged, _, err := sealed(e)
		require.NoError(t, err)
		requireWrong(t, k+1, join(join(lines[:k]...), forged))
	})
}

// hashBefore is what a line says of the one before.
func hashBefore(t *testing.T, line []byte) string {
	t.Helper()
	_, after, found := strings.Cut(string(line), `"prev":"`)
	require.True(t, found)
	return after[:64]
}

func TestTruncationIsFoundByTheHead(t *testing.T) {
	path, lines := newLog(t, 20)
	l, err := OpenAuditLog(path, WithClock(atNoon))
	require.NoError(t, err)
	head := l.Head()
	require.NoError(t, l.Close())
	assert.EqualValues(t, 20, head.Seq)

	whole, cut := join(lines...), join(lines[:15]...)
	require.NoError(t, VerifyLog(bytes.NewReader(whole), WithHead(head)))
	require.NoError(t, VerifyLog(bytes.NewReader(whole), WithHead(Head{})), "the log was empty then")
	require.NoError(t, VerifyLog(bytes.NewReader(cut)), "the file alone does not show it")
	requireWrong(t, 16, cut, WithHead(head))
	entries, err := ReadLog(bytes.NewReader(cut), WithHead(head))
	var e *LogError
	require.ErrorAs(t, err, &e)
	assert.Len(t, entries, 15, "what there is")
	requireWrong(t, 1, nil, WithHead(head))
	requireWrong(t, 20, whole, WithHead(Head{Seq: 20, Hash: hashOf(nil)}))
}

func TestAuditLogAfterACrash(t *testing.T) {
	path, lines := newLog(t, 3)
	for name, tail := range map[string][]byte{
		"in the middle of a line":           lines[2][:40],
		"before its hash":                   lines[2][:len(lines[2])-40],
		"with zeros":                        make([]byte, 10),
		"with more zeros than a line has":   make([]byte, 70_000),
		"with many of them":                 make([]byte, 3<<20),
		"in a line, with zeros after it":    join(lines[2][:40], make([]byte, 70_000)),
		"with zeros in the place of a page": join(make([]byte, 4096), lines[2][80:]),
		"in the middle of a long line":      bytes.Repeat([]byte("x"), 2*maxLine),
	} {
		t.Run(name, func(t *testing.T) {
			requireRemoved(t, path)
			require.NoError(t, os.WriteFile(path, join(lines[0], lines[1], tail), 0o600))
			l, err := OpenAuditLog(path, WithClock(atNoon))
			require.NoError(t, err)
			_, err = l.append(Entry{Kind: EntryDecision, ActionID: "next"}, true)
			require.NoError(t, err)
			require.NoError(t, l.Close())
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			entries, err := ReadLog(bytes.NewReader(data))
			require.NoError(t, err)
			require.Len(t, entries, 4)
			assert.Equal(t, EntryTorn, entries[2].Kind)
			assert.Equal(t, fmt.Sprintf("%d bytes of an incomplete line were removed", len(tail)), entries[2].Reason)
			assert.Equal(t, Entry{Version: 2, Seq: 4, Time: noon, Kind: EntryDecision, ActionID: "next", Prev: entries[3].Prev}, entries[3])
		})
	}
}

// What comes after a line that a crash may have left so was written later: it is no end that can be cut off.
func TestWhatIsTornButNotAtTheEndIsAltered(t *testing.T) {
	path, lines := newLog(t, 3)
	for name, log := range map[string][]byte{
		"zeros before a line":       join(lines[0], make([]byte, 100), lines[1], lines[2]),
		"a page of zeros in one":    join(lines[0], make([]byte, 4096), lines[1][80:], lines[2]),
		"more zeros than one has":   join(lines[0], make([]byte, 70_000), []byte("\n"), lines[1], lines[2]),
		"no zeros, and its newline": join(lines[0], lines[1], lines[2][:40], []byte("\n")),
		"a long one":                join(lines[0], bytes.Repeat([]byte("x"), 2*maxLine), []byte("\n")),
	} {
		t.Run(name, func(t *testing.T) {
			requireRemoved(t, path)
			require.NoError(t, os.WriteFile(path, log, 0o600))
			_, err := OpenAuditLog(path, WithClock(atNoon))
			require.ErrorAs(t, err, new(*LogError))
			after, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, log, after)
		})
	}
}

// A line whose hash is right is whole, and was maybe carried out: only its end is missing.
func TestALineThatLacksItsEndIsKept(t *testing.T) {
	path, lines := newLog(t, 3)
	for missing := 1; missing <= len(lineEnd); missing++ {
		requireRemoved(t, path)
		log := join(lines...)
		require.NoError(t, os.WriteFile(path, log[:len(log)-missing], 0o600))
		l, err := OpenAuditLog(path, WithClock(atNoon))
		require.NoError(t, err)
		assert.EqualValues(t, 3, l.Head().Seq)
		require.NoError(t, l.Close())
		after, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, log, after)
	}
}

// requireRemoved removes a log and its checkpoint.
func requireRemoved(t *testing.T, path string) {
	t.Helper()
	require.NoError(t, errors.Join(os.RemoveAll(path), os.RemoveAll(checkpointPath(path))))
}

func TestWhatIsNoHeadIsRefused(t *testing.T) {
	_, lines := newLog(t, 3)
	good := hashOf(lines[0][:len(lines[0])-len(hashField)-64-len(lineEnd)])
	for text, ok := range map[string]bool{
		"1:" + good: true, "0:": true,
		"0:garbage": false, "0:" + good: false, "-1:" + good: false, "1:": false, "1": false, "": false, ":": false, "1:garbage": false,
		"1:" + strings.ToUpper(good): false, "1:" + good + "0": false, "1:" + good[1:]: false, "x:" + good: false, "1:" + good + " ": false,
	} {
		head, err := ParseHead(text)
		if ok {
			require.NoError(t, err, text)
			assert.Equal(t, text, head.String())
		} else {
			require.ErrorAs(t, err, new(*qredo.ValidationError), text)
		}
		err = VerifyLog(bytes.NewReader(join(lines...)), WithHead(head))
		assert.Equal(t, ok, err == nil, "%s: %v", text, err)
	}
}

func TestAuditLogThatWasAlteredIsNotContinued(t *testing.T) {
	path, lines := newLog(t, 3)
	requireRemoved(t, path)
	altered := bytes.Replace(join(lines...), []byte("approve"), []byte("reject_"), 1)
	require.NoError(t, os.WriteFile(path, altered, 0o600))
	_, err := OpenAuditLog(path, WithClock(atNoon))
	require.ErrorContains(t, err, "line 1 was altered")
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, altered, after)
}

func TestAuditLogHasOneWriter(t *testing.T) {
	path, _ := newLog(t, 1)
	l, err := OpenAuditLog(path, WithClock(atNoon))
	require.NoError(t, err)
	_, err = OpenAuditLog(path, WithClock(atNoon))
	require.ErrorContains(t, err, "another process")
	require.NoError(t, l.Close())
	_, err = l.append(Entry{}, true)
	require.ErrorIs(t, err, os.ErrClosed)
}

func TestAuditLogTakesNothingAfterAnError(t *testing.T) {
	path, _ := newLog(t, 1)
	l, err := OpenAuditLog(path, WithClock(atNoon))
	require.NoError(t, err)
	require.NoError(t, l.file.Close()) // as a disk that fails
	for range 2 {
		_, err = l.append(Entry{Kind: EntryDecision}, true)
		require.ErrorIs(t, err, os.ErrClosed)
	}
	assert.EqualValues(t, 1, l.Head().Seq)
}

func TestLongReasonsAreCut(t *testing.T) {
	path, _ := newLog(t, 1)
	l, err := OpenAuditLog(path, WithClock(atNoon))
	require.NoError(t, err)
	long := strings.Repeat("\u2028\xff<", 50_000)
	_, err = l.append(Entry{Kind: EntryDecision, Reason: long, Rule: long}, true)
	require.NoError(t, err)
	require.NoError(t, l.Close())
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, VerifyLog(bytes.NewReader(data)))
}
