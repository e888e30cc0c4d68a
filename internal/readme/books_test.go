package readme

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/qredo-go/qredo/sandbox"
)

// TestBooks works through the blocks of docs/books.md, with the demo's fund. A text block after a program is what it prints.
func TestBooks(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir, keys := t.TempDir(), t.TempDir()
	srv, err := sandbox.Start(sandbox.WithKeyDir(keys))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	world, err := srv.MakeNamedWorld("demo")
	if err != nil {
		t.Fatal(err)
	}
	blocks := readBlocks(t, filepath.Join(root, "docs", "books.md"))
	bin := build(t, root, blocks)
	for name, value := range map[string]string{
		"QREDO_BASE_URL": srv.BaseURL(), "QREDO_API_KEY_FILE": filepath.Join(keys, "apikey"), "QREDO_PRIVATE_KEY_FILE": filepath.Join(keys, "private.pem"),
		"COMPANY": string(world.Companies["Demo Exchange"]), "FUND": string(world.Funds["Demo Exchange/Client assets"]),
		"PATH": bin + string(filepath.ListSeparator) + os.Getenv("PATH"),
	} {
		t.Setenv(name, value)
	}
	for i, b := range blocks {
		switch b.language {
		case "go":
			printed := run(t, dir, filepath.Join(bin, b.name()))
			if i+1 < len(blocks) && blocks[i+1].language == "text" && printed != blocks[i+1].text {
				t.Errorf("docs/books.md:%d: it prints %q, the page says %q", b.line, printed, blocks[i+1].text)
			}
		case "sh":
			run(t, dir, "sh", "-euc", strings.TrimSpace(b.text))
		}
	}
}
