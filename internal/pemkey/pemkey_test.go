package pemkey_test

import (
	"bytes"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/pemkey"
)

const text = "-----BEGIN A KEY-----\nAQID\n-----END A KEY-----\n-----BEGIN B KEY-----\nBAUG\n-----END B KEY-----\n"

func TestBlocks(t *testing.T) {
	for name, changed := range map[string]string{
		"as it should be": text, "escaped": strings.ReplaceAll(text, "\n", `\n`), "no padding": strings.ReplaceAll(text, "\n", `\n`),
		"one of them indented": strings.Replace(text, "\nBAUG", "\n  BAUG", 1), "one of them escaped": strings.Replace(text, "\nBAUG\n", `\nBAUG\n`, 1),
		"the first one escaped": strings.Replace(text, "\nAQID\n", `\nAQID\n`, 1), "a name over two lines": strings.ReplaceAll(text, " KEY", "\nKEY"),
	} {
		blocks := pemkey.Blocks([]byte(changed))
		require.Len(t, blocks, 2, name)
		require.Equal(t, []string{"A KEY", "B KEY"}, []string{blocks[0].Type, blocks[1].Type}, name)
		require.Equal(t, []byte{1, 2, 3, 4, 5, 6}, append(bytes.Clone(blocks[0].Bytes), blocks[1].Bytes...), name)
	}
	cut := strings.Replace(strings.ReplaceAll(text, "\n", `\n`), "-----END A KEY-----", "", 1)
	blocks := pemkey.Blocks([]byte(cut))
	require.Len(t, blocks, 1, "what is whole is found after what is cut")
	require.Equal(t, "B KEY", blocks[0].Type)
	for _, none := range []string{"", "-----BEGIN A KEY-----", `-----BEGIN A KEY-----\nA!\n-----END A KEY-----`, "\xff\xfe", "\xff\xfe-"} {
		require.Empty(t, pemkey.Blocks([]byte(none)), "%q", none)
	}
}

// A well-formed text is decoded as by the standard library.
func FuzzBlocks(f *testing.F) {
	f.Add([]byte(text))
	f.Add([]byte(strings.ReplaceAll(text, "\n", `\n`)))
	f.Add([]byte("-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAQID\n-----END A-----"))
	f.Fuzz(func(t *testing.T, text []byte) {
		blocks := pemkey.Blocks(text)
		if want, _ := pem.Decode(text); want != nil && len(blocks) == 0 {
			t.Fatalf("%q is not read", text)
		}
		for _, b := range blocks {
			_ = pemkey.Algorithm(b.Bytes)
		}
	})
}
