package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed page
var page embed.FS

const indexFile = "index.html"

// policy lets the page load its own scripts, styles and pictures and call its own server, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// protect sets headers that keep other pages, and the displayed content, from doing harm.
func protect(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// asset is a file of the page.
type asset struct {
	content           []byte
	contentType, etag string
}

var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml", ".png": "image/png", ".txt": "text/plain; charset=utf-8",
}

// embedded are the files of the page, by their path below it.
func embedded() map[string]asset {
	assets := map[string]asset{}
	err := fs.WalkDir(page, "page", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || contentTypes[path.Ext(name)] == "" {
			return err
		}
		content, err := page.ReadFile(name)
		sum := sha256.Sum256(content)
		assets[strings.TrimPrefix(name, "page/")] = asset{content, contentTypes[path.Ext(name)], `"` + hex.EncodeToString(sum[:12]) + `"`}
		return err
	})
	if err != nil {
		panic("sandbox: the console: " + err.Error()) // the files are compiled in
	}
	return assets
}

func (d *Door) serveAsset(w http.ResponseWriter, r *http.Request, name string) {
	a, known := d.assets[name]
	if !known || name == indexFile && r.URL.EscapedPath() != Path {
		d.deny(w, false, http.StatusNotFound, "the console has no such file")
		return
	}
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-cache") // browsers check each time whether it has changed
		h.Set("ETag", a.etag)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.content))
}

// outside is the page for browsers without a session.
func outside(why string) string {
	return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>qredo sandbox</title>
<h1>The console of a qredo sandbox</h1>
<p>` + why + `</p>
<p>To get in, open the URL that the sandbox printed when it started, which ends with a token. A program gets it from ConsoleURL.</p>
<p>If you had access before, <a href="` + Path + `">continue</a>.</p>
</html>
`
}

func writePage(w http.ResponseWriter, r *http.Request, status int, text string) {
	w.Header().Set("Content-Type", contentTypes[".html"])
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(text)) // the browser may be gone
	}
}
