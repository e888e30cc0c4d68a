package browsertest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// axe-core looks for what keeps people from using a page. npm fetches it, once for this user.
const (
	axeVersion   = "4.14.1"
	axeIntegrity = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==" // SHA-512, as npm has it
)

var axe = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "qredo-browsertest")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	name := filepath.Join(dir, "axe-core-"+axeVersion+".tgz")
	if _, err := os.Stat(name); err != nil {
		npm := exec.Command("npm", "pack", "axe-core@"+axeVersion, "--silent", "--pack-destination", dir)
		npm.Dir = dir
		if said, err := npm.CombinedOutput(); err != nil {
			return "", fmt.Errorf("npm does not fetch axe-core: %w: %s", err, said)
		}
	}
	packed, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	if sum := sha512.Sum512(packed); base64.StdEncoding.EncodeToString(sum[:]) != axeIntegrity {
		return "", errors.Join(fmt.Errorf("%s is not what was published: it is removed", name), os.Remove(name))
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", err
	}
	for files := tar.NewReader(unzipped); ; {
		file, err := files.Next()
		if err != nil {
			return "", fmt.Errorf("axe.min.js in %s: %w", name, err)
		}
		if file.Name == "package/axe.min.js" {
			script, err := io.ReadAll(files)
			return string(script), err
		}
	}
})

// needAxe skips a test where axe-core cannot be fetched.
func needAxe(t *testing.T) {
	t.Helper()
	if _, err := axe(); err != nil {
		t.Skipf("axe-core is not at hand: %v", err)
	}
}

// accessible has axe-core look at the page: it must find nothing.
func (p *tab) accessible(what string) {
	p.t.Helper()
	script, err := axe()
	require.NoError(p.t, err)
	if !eval[bool](p, `typeof axe === 'object'`) {
		do(p, chromedp.Evaluate[chromedp.Void](script))
	}
	found := eval[[]string](p, `axe.run(document, {resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}).then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ': ' + n.html.slice(0, 160) + ' ' + n.failureSummary.replace(/\s+/g, ' ').slice(0, 200))))`)
	assert.Empty(p.t, found, what)
}
