package approver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/durable"
	"github.com/qredo-go/qredo/internal/durable/durabletest"
)

// writeLines opens a log whose files are small, and writes lines.
func writeLines(t testing.TB, path string, lines int) (head Head) {
	t.Helper()
	l, err := OpenAuditLog(path, WithClock(atNoon), WithRotation(4000))
	require.NoError(t, err)
	for range lines {
		_, err := l.append(Entry{Kind: EntryDecision, ActionID: "action", Reason: strings.Repeat("r", 200)}, false)
		require.NoError(t, err)
	}
	head = l.Head()
	require.NoError(t, l.Close())
	return head
}

func verifyFiles(path string, opts ...VerifyOption) error {
	files, err := AuditFiles(path)
	if err != nil {
		return err
	}
	defer func() { _ = files.Close() }()
	return VerifyLog(files, opts...)
}

func TestTheChainGoesOnOverFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	var head Head
	for i := range 10 { // each of which opens it anew
		before := head
		head = writeLines(t, path, 7)
		require.EqualValues(t, 7*(i+1), head.Seq)
		require.NoError(t, verifyFiles(path, WithHead(head), WithHead(before)))
	}
	files, err := logFiles(path)
	require.NoError(t, err)
	require.Greater(t, len(files), 5)
	var all [][]byte
	for _, name := range files {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Less(t, len(data), 5000)
		first, _, _ := bytes.Cut(data, []byte("\n"))
		if name != path {
			var e Entry
			require.NoError(t, json.Unmarshal(first, &e))
			assert.Equal(t, path+"."+fileNumber(e.Seq), name, "its name has the number of its first line")
		}
		all = append(all, data)
	}
	reader, err := AuditFiles(path)
	require.NoError(t, err)
	entries, err := ReadLog(reader)
	require.NoError(t, err)
	require.NoError(t, reader.Close())
	assert.Len(t, entries, 70)

	// A byte in any file, and a file that is missing.
	for i, name := range files {
		altered := bytes.Clone(all[i])
		altered[len(altered)/2] ^= 1
		require.NoError(t, os.WriteFile(name, altered, 0o600))
		require.ErrorAs(t, verifyFiles(path), new(*LogError), name)
		require.NoError(t, os.WriteFile(name, all[i], 0o600))
		if i == 0 {
			continue
		}
		require.NoError(t, os.Remove(name))
		if i < len(files)-1 {
			require.ErrorAs(t, verifyFiles(path), new(*LogError), name)
		}
		_, err = OpenAuditLog(path)
		require.ErrorAs(t, err, new(*LogError), name)
		require.NoError(t, os.WriteFile(name, all[i], 0o600))
	}
	require.NoError(t, verifyFiles(path))
}

// A program can be killed when a file has been begun, and no line is in it.
func TestAFileWithoutLinesIsGoneOnWith(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	writeLines(t, path, 9)
	empty := path + "." + fileNumber(10)
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	for range 2 {
		writeLines(t, path, 1)
	}
	data, err := os.ReadFile(empty)
	require.NoError(t, err)
	assert.Equal(t, 2, bytes.Count(data, []byte("\n")))
	require.NoError(t, verifyFiles(path))
}

func TestTheFirstFileLocksAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	writeLines(t, path, 30)
	l, err := OpenAuditLog(path)
	require.NoError(t, err)
	_, err = OpenAuditLog(path)
	require.ErrorContains(t, err, "another process")
	require.NoError(t, l.Close())
}

// How far a log was verified is known beside it, so that not all of it is read again. That is checked as well.
func TestTheCheckpointIsChecked(t *testing.T) {
	read := func(t *testing.T, path string) []byte {
		t.Helper()
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		return data
	}
	alter := func(t *testing.T, path string, at int) {
		t.Helper()
		data := read(t, path)
		data[at] ^= 1
		require.NoError(t, os.WriteFile(path, data, 0o600))
	}
	var known []byte // the checkpoint when the log had 20 lines
	for name, c := range map[string]struct {
		change func(t *testing.T, path string)
		line   int // that is wrong; none if 0
	}{
		"nothing":          {func(*testing.T, string) {}, 0},
		"it is missing":    {func(t *testing.T, path string) { require.NoError(t, os.Remove(checkpointPath(path))) }, 0},
		"it is an old one": {func(t *testing.T, path string) { require.NoError(t, os.WriteFile(checkpointPath(path), known, 0o600)) }, 0},
		"it is damaged":    {func(t *testing.T, path string) { alter(t, checkpointPath(path), 20) }, 0},
		"it is cut":        {func(t *testing.T, path string) { require.NoError(t, os.Truncate(checkpointPath(path), 30)) }, 0},
		"it is empty":      {func(t *testing.T, path string) { require.NoError(t, os.Truncate(checkpointPath(path), 0)) }, 0},
		"a line after an old one": {func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(checkpointPath(path), known, 0o600))
			alter(t, path+"."+fileNumber(20), 900)
		}, 21},
		"a line, and it is missing": {func(t *testing.T, path string) {
			require.NoError(t, os.Remove(checkpointPath(path)))
			alter(t, path, 900)
		}, 3},
		"a line, and it is damaged": {func(t *testing.T, path string) { alter(t, checkpointPath(path), 20); alter(t, path, 900) }, 3},
		"its own line": {func(t *testing.T, path string) {
			alter(t, path+"."+fileNumber(20), len(read(t, path+"."+fileNumber(20)))-300)
		}, 22},
		"an earlier file has grown": {func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, append(read(t, path), '\n'), 0o600))
		}, 11},
		"an earlier file was cut": {func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 900)) }, 3},
		"the last file was cut":   {func(t *testing.T, path string) { require.NoError(t, os.Truncate(path+"."+fileNumber(20), 0)) }, 20},
		"the last file is gone":   {func(t *testing.T, path string) { require.NoError(t, os.Remove(path+"."+fileNumber(20))) }, 20},
		"all is gone": {func(t *testing.T, path string) {
			require.NoError(t, os.Truncate(path, 0))
			require.NoError(t, os.Remove(path+"."+fileNumber(11)))
			require.NoError(t, os.Remove(path+"."+fileNumber(20)))
		}, 1},
		"the last line was cut in half": {func(t *testing.T, path string) {
			last := path + "." + fileNumber(20)
			require.NoError(t, os.Truncate(last, int64(len(read(t, last))-100)))
		}, 22},
		"another log of the same size": {func(t *testing.T, path string) {
			for _, name := range []string{path, path + "." + fileNumber(11), path + "." + fileNumber(20)} {
				require.NoError(t, os.Remove(name))
			}
			saved := read(t, checkpointPath(path))
			require.NoError(t, os.Remove(checkpointPath(path)))
			l, err := OpenAuditLog(path, WithClock(func() time.Time { return noon.Add(time.Hour) }), WithRotation(4000))
			require.NoError(t, err)
			for range 22 {
				_, err := l.append(Entry{Kind: EntryDecision, ActionID: "action", Reason: strings.Repeat("r", 200)}, false)
				require.NoError(t, err)
			}
			require.NoError(t, l.Close())
			require.NoError(t, os.WriteFile(checkpointPath(path), saved, 0o600))
		}, 22},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "audit.jsonl")
			writeLines(t, path, 20)
			known = read(t, checkpointPath(path))
			head := writeLines(t, path, 2)
			files, err := logFiles(path)
			require.NoError(t, err)
			require.Equal(t, []string{path, path + "." + fileNumber(11), path + "." + fileNumber(20)}, files, "what the cases are about")
			c.change(t, path)
			l, err := OpenAuditLog(path, WithClock(atNoon), WithRotation(4000))
			if c.line == 0 {
				require.NoError(t, err)
				assert.Equal(t, head, l.Head())
				require.NoError(t, l.Close())
				return
			}
			var e *LogError
			require.ErrorAs(t, err, &e)
			assert.Equal(t, c.line, e.Line, err)
		})
	}
}

// What is before the checkpoint is not read to open a log, and is to verify it.
func TestWhatWasVerifiedIsNotReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	head := writeLines(t, path, 50)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	data[900] ^= 1
	require.NoError(t, os.WriteFile(path, data, 0o600))
	l, err := OpenAuditLog(path)
	require.NoError(t, err)
	assert.Equal(t, head, l.Head())
	require.NoError(t, l.Close())
	require.ErrorAs(t, verifyFiles(path, WithHead(head)), new(*LogError))
}

// A program that is killed has written a checkpoint some lines ago.
func TestTheCheckpointIsKeptUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	l, err := OpenAuditLog(path, WithClock(atNoon))
	require.NoError(t, err)
	defer func() { assert.NoError(t, l.Close()) }()
	for n := int64(1); n <= 2*linesBetweenMarks+1; n++ {
		_, err := l.append(Entry{Kind: EntryDecision}, false)
		require.NoError(t, err)
		require.Less(t, n-readMark(path).Head.Seq, int64(linesBetweenMarks))
	}
}

func TestTheLastEpochIsKnown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	open := func() *AuditLog {
		l, err := OpenAuditLog(path, WithClock(atNoon))
		require.NoError(t, err)
		return l
	}
	for _, forget := range []bool{false, true} {
		l := open()
		_, err := l.append(Entry{Kind: EntryEpoch, Epoch: fmt.Sprint("epoch ", forget)}, true)
		require.NoError(t, err)
		_, err = l.append(Entry{Kind: EntryDecision}, true)
		require.NoError(t, err)
		require.NoError(t, l.Close())
		if forget {
			require.NoError(t, os.Remove(checkpointPath(path)))
		}
		l = open()
		assert.Equal(t, fmt.Sprint("epoch ", forget), l.Epoch())
		require.NoError(t, l.Close())
	}
}

// Lines of before they had a version verify, and the chain goes on after them.
func TestOldLogsStillVerify(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	old, err := os.ReadFile("testdata/audit-v1.jsonl")
	require.NoError(t, err)
	require.NoError(t, VerifyLog(bytes.NewReader(old)))
	require.NoError(t, os.WriteFile(path, old, 0o600))
	head := writeLines(t, path, 2)
	files, err := AuditFiles(path)
	require.NoError(t, err)
	entries, err := ReadLog(files, WithHead(head))
	require.NoError(t, err)
	require.NoError(t, files.Close())
	versions := make([]int, len(entries))
	for i, e := range entries {
		versions[i] = e.Version
	}
	assert.Equal(t, []int{0, 0, 0, 2, 2}, versions)
	assert.Equal(t, Entry{
		Seq: 2, Time: noon, Kind: EntryResult, Replica: "desk", ActionID: "action-1", Digest: hashOf(nil), PolicyHash: hashOf(nil),
		Verdict: Approve, Rule: "small", Reason: "amount <= 5", Outcome: OutcomeSent, Prev: entries[1].Prev,
	}, entries[1])
}

func TestLinesOfALaterVersionAreNotUnderstood(t *testing.T) {
	line, _, err := sealed(map[string]any{"version": 3, "seq": 1, "prev": ""})
	require.NoError(t, err)
	err = VerifyLog(bytes.NewReader(line))
	require.ErrorContains(t, err, "line 1 has the form 3, which this version of the program does not know")
}

func TestFilesOfALogThatOthersCanWriteAreRefused(t *testing.T) {
	for _, name := range []string{"audit.jsonl", "audit.jsonl." + fileNumber(11), "audit.jsonl.head"} {
		folder := t.TempDir()
		writeLines(t, filepath.Join(folder, "audit.jsonl"), 15)
		require.NoError(t, os.Chmod(filepath.Join(folder, name), 0o666))
		_, err := OpenAuditLog(filepath.Join(folder, "audit.jsonl"))
		var others *durable.OthersCanWriteError
		require.ErrorAs(t, err, &others)
		assert.Equal(t, filepath.Join(folder, name), others.Path)
		assert.ErrorContains(t, err, "chmod go-w "+others.Path)
	}
}

func TestAuditOptionsThatCannotWork(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	for _, opt := range []AuditOption{nil, WithRotation(0), WithRotation(-1)} {
		_, err := OpenAuditLog(path, opt)
		require.ErrorAs(t, err, new(*qredo.ValidationError))
	}
	assert.NoFileExists(t, path)
	_, err := AuditFiles(path)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// Opening a log costs the same however many lines it has: closed, and after a kill as much as what came after the checkpoint.
func BenchmarkOpenAuditLog(b *testing.B) {
	for _, lines := range []int{1e3, 1e6} {
		path := filepath.Join(b.TempDir(), "audit.jsonl")
		l, err := OpenAuditLog(path)
		require.NoError(b, err)
		l.saved = int64(lines) // no checkpoints in between
		entry := Entry{
			Kind: EntryDecision, ActionID: "2xTNJFoBinF5aJXVuLkSIc47WQA", Digest: hashOf(nil), PolicyHash: hashOf(nil), Verdict: Approve,
			Rule: "payouts", Reason: `type == "ApproveWithdraw" && asset == "BTC" && amount <= 5_000_000`, Replica: "replica-1",
		}
		for range lines {
			_, err := l.append(entry, false)
			require.NoError(b, err)
		}
		l.saved = 0
		require.NoError(b, l.Close())
		b.Run(fmt.Sprint("lines=", lines), func(b *testing.B) {
			for b.Loop() {
				l, err := OpenAuditLog(path)
				require.NoError(b, err)
				require.EqualValues(b, lines, l.Head().Seq)
				require.NoError(b, l.Close())
			}
		})
		if lines == 1e3 {
			b.Run("all of lines=1000", func(b *testing.B) {
				for b.Loop() {
					files, err := AuditFiles(path)
					require.NoError(b, err)
					require.NoError(b, VerifyLog(files))
					require.NoError(b, files.Close())
				}
			})
		}
	}
}

// A line is lost with the name of its file: a vote must not be sent before the file has one.
func TestTheFolderIsSyncedForEachFile(t *testing.T) {
	folder := t.TempDir()
	l, err := OpenAuditLog(filepath.Join(folder, "audit.jsonl"), WithClock(atNoon), WithRotation(1)) // each line has a file
	require.NoError(t, err)
	line := func() {
		_, err := l.append(Entry{Kind: EntryDecision, ActionID: "action"}, true)
		require.NoError(t, err)
	}
	for range 5 {
		line()
	}
	saved := l.saved
	assert.True(t, durabletest.SyncsFolder(t, folder, line))
	require.Equal(t, saved, l.saved, "the checkpoint syncs the folder too")
	require.NoError(t, l.Close())
}
