package export_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/export"
	"github.com/qredo-go/qredo/internal/durable/durabletest"
)

// TestCheckpointForm fails when this version writes another checkpoint of version 3, or does not go on from the one that it wrote. One of
// a later version is left alone, and from one of an earlier version nothing is taken.
func TestCheckpointForm(t *testing.T) {
	l, path := deposits(50), filepath.Join(t.TempDir(), "out.csv")
	interrupt(t, l, path, 5)
	state, err := os.ReadFile(path + ".part.json")
	require.NoError(t, err)
	part, err := os.ReadFile(path + ".part")
	require.NoError(t, err)
	durabletest.Is(t, string(state), "checkpoint-3.json")

	golden, err := os.ReadFile(filepath.Join("testdata", "checkpoint-3.json"))
	require.NoError(t, err)
	versioned := func(version int) []byte {
		var sealed struct {
			SHA256     string          `json:"sha256"`
			Checkpoint json.RawMessage `json:"checkpoint"`
		}
		require.NoError(t, json.Unmarshal(golden, &sealed))
		sealed.Checkpoint = json.RawMessage(strings.Replace(string(sealed.Checkpoint), `"version":3`, fmt.Sprintf(`"version":%d`, version), 1))
		sealed.SHA256 = fmt.Sprintf("%x", sha256.Sum256(sealed.Checkpoint))
		data, err := json.Marshal(sealed)
		require.NoError(t, err)
		return data
	}
	later := versioned(4)
	require.NoError(t, os.WriteFile(path+".part.json", later, 0o600))
	_, err = newExport(t, l, export.WithPage(10)).ToFile(t.Context(), path)
	require.ErrorIs(t, err, export.ErrOther)
	require.ErrorContains(t, err, "a later version of this package has begun it: finish it with that, or remove "+path+".part")
	for name, want := range map[string][]byte{".part": part, ".part.json": later} {
		got, err := os.ReadFile(path + name)
		require.NoError(t, err)
		require.Equal(t, want, got, name)
	}
	for version, resumes := range map[int]bool{2: false, 3: true} {
		require.NoError(t, os.WriteFile(path+".part", part, 0o600))
		require.NoError(t, os.WriteFile(path+".part.json", versioned(version), 0o600))
		done, err := newExport(t, l, export.WithPage(10), export.WithReplace()).ToFile(t.Context(), path)
		require.NoError(t, err)
		assert.Equal(t, resumes, done.Resumed > 0, version)
		made, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, oneGo(t, l.entries, export.CSV), string(made))
	}
}
