// Package browsertest does in a real browser what people do with the sandbox's console.
package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

// browser is the one that all tests share, each in a profile of its own.
var browser context.Context

// patience is how long a test waits for what it expects to see.
const patience = 10 * time.Second

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	path := findChromium()
	if path == "" {
		fmt.Println("SKIPPED, all of it: there is no Chromium here. Debian has it as the package chromium.")
		return 0
	}
	profile, err := os.MkdirTemp("", "qredo-console")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(profile)
	allocator, stop := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.Headless, chromedp.NoSandbox, chromedp.NoFirstRun, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("no-default-browser-check", true), chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("host-resolver-rules", "MAP elsewhere.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
		chromedp.Flag("lang", "en-GB"), chromedp.Env("TZ=Asia/Kolkata"))
	defer stop()
	ctx, closeBrowser := chromedp.NewContext(allocator)
	defer closeBrowser()
	if err := chromedp.Do(ctx); err != nil {
		panic("Chromium does not start: " + err.Error())
	}
	browser = ctx
	return m.Run()
}

func findChromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// tab is a page in the browser. A script error, a violation of the content security policy, and a dialog fail its test.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	troubles []string
	expected string // a trouble that the test brings about
}

// newTab opens an empty page in a profile of its own.
func newTab(t *testing.T) *tab {
	t.Helper()
	ctx, stop := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	p := &tab{t: t, ctx: ctx}
	require.NoError(t, chromedp.Do(ctx))
	dialogs := make(chan struct{}, 8)
	require.NoError(t, chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			p.trouble("script error: " + e.ExceptionDetails.Text + " " + describe(e.ExceptionDetails))
		case *log.EventEntryAdded:
			if strings.Contains(e.Entry.Text, "Content Security Policy") || strings.Contains(e.Entry.Text, "Content-Security-Policy") {
				p.trouble(e.Entry.Text)
			}
		case *page.EventJavascriptDialogOpening:
			p.trouble("a dialog: " + e.Message)
			dialogs <- struct{}{}
		}
	}))
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-dialogs:
				_, _ = chromedp.Call(ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
			}
		}
	}()
	t.Cleanup(func() {
		p.mu.Lock()
		assert.Empty(t, p.troubles)
		p.mu.Unlock()
		if t.Failed() {
			p.keep("failed-" + strings.ReplaceAll(t.Name(), "/", "-"))
		}
		stop()
	})
	ask(p, log.Enable, cdp.Empty{})
	ask(p, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	p.look(1280, "light")
	return p
}

func (p *tab) trouble(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.expected == "" || !strings.Contains(what, p.expected) {
		p.troubles = append(p.troubles, what)
	}
}

// do does something that must succeed in time.
func do[T any](p *tab, action chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		require.NoError(p.t, err, "the page says: %s", p.text())
	}
	return value
}

// ask gives the browser a command that must succeed in time.
func ask[P, R any](p *tab, command cdp.Command[P, R], params P) R {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	result, err := chromedp.Call(ctx, command, params)
	require.NoError(p.t, err)
	return result
}

// text is all that the page says.
func (p *tab) text() string {
	ctx, cancel := context.WithTimeout(p.ctx, 2*time.Second)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText`)) // told with what failed
	return text
}

// openConsole opens the console of a sandbox at a route: "#/money".
func openConsole(t *testing.T, srv *sandbox.Server, route string) *tab {
	t.Helper()
	p := newTab(t)
	do(p, chromedp.Navigate(srv.ConsoleURL()))
	p.goTo(route)
	p.waits(`document.querySelector('q-app .link.is-live') !== null`)
	return p
}

func (p *tab) goTo(route string) {
	p.t.Helper()
	do(p, chromedp.Evaluate[chromedp.Void](`location.hash = `+quoted(route)))
}

func quoted(text string) string {
	out, _ := json.Marshal(text) // a string can always be written
	return string(out)
}

// waits waits until an expression of JavaScript holds.
func (p *tab) waits(expression string) {
	p.t.Helper()
	// chromedp.Poll makes a function of a text, which the page's policy forbids. A page that is left takes its promises along:
	// it is asked again.
	look := `new Promise(done => { let left = 20; const look = () => (` + expression + `) ? done(true) : left-- > 0 ? setTimeout(look, 15) : done(false); look(); })`
	for began := time.Now(); ; {
		ctx, cancel := context.WithTimeout(p.ctx, patience/4)
		holds, err := chromedp.Run(ctx, chromedp.Evaluate[bool](look, chromedp.EvalAwaitPromise))
		cancel()
		if holds {
			return
		}
		if time.Since(began) > patience {
			require.Fail(p.t, "it does not come to be", "%s (%v); the page says: %s", expression, err, p.text())
		}
	}
}

// sees waits until the page says all of these.
func (p *tab) sees(texts ...string) {
	p.t.Helper()
	for _, text := range texts {
		p.waits(`document.body.innerText.replace(/\s+/g, ' ').includes(` + quoted(text) + `)`)
	}
}

// seesNot waits until the page does not say something.
func (p *tab) seesNot(text string) {
	p.t.Helper()
	p.waits(`!document.body.innerText.replace(/\s+/g, ' ').includes(` + quoted(text) + `)`)
}

// find is JavaScript that finds an element that is seen, by a selector and what it says.
func find(selector, says string) string {
	return `[...document.querySelectorAll(` + quoted(selector) + `)].find(e => e.checkVisibility() && !e.disabled && e.textContent.replace(/\s+/g, ' ').includes(` + quoted(says) + `))`
}

// click clicks with the mouse on an element that says something.
func (p *tab) click(selector, says string) {
	p.t.Helper()
	p.waits(find(selector, says))
	at := eval[struct{ X, Y float64 }](p, `(e => { e.scrollIntoView({block: 'nearest'}); const r = e.getBoundingClientRect(); return {X: r.x + Math.min(r.width / 2, 60), Y: r.y + r.height / 2}; })(`+find(selector, says)+`)`)
	do(p, chromedp.MouseClickXY(at.X, at.Y))
}

// fill types into a field in place of what is there.
func (p *tab) fill(selector, text string) {
	p.t.Helper()
	p.waits(find(selector, ""))
	do(p, chromedp.Evaluate[chromedp.Void](`(e => { e.focus(); e.select?.(); })(document.querySelector(`+quoted(selector)+`))`))
	do(p, chromedp.KeyEvent(text))
}

// choose chooses an option of a select by what it says.
func (p *tab) choose(selector, says string) {
	p.t.Helper()
	option := `[...(document.querySelector(` + quoted(selector) + `)?.options ?? [])].find(o => o.text.includes(` + quoted(says) + `))`
	p.waits(option)
	do(p, chromedp.Evaluate[chromedp.Void](`(o => { const s = o.closest('select'); s.value = o.value; s.dispatchEvent(new Event('change', {bubbles: true})); })(`+option+`)`))
}

// press presses keys, one after the other.
func (p *tab) press(keys ...string) {
	p.t.Helper()
	for _, key := range keys {
		do(p, chromedp.KeyEvent(key))
	}
}

// eval is what an expression of JavaScript is.
func eval[T any](p *tab, expression string) T {
	p.t.Helper()
	return do(p, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// describe is what an exception says.
func describe(e *runtime.ExceptionDetails) string {
	if e.Exception == nil {
		return ""
	}
	return e.Exception.Description
}
