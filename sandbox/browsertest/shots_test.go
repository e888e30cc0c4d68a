package browsertest

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestShots(t *testing.T) {
	base := os.Getenv("SHOT_URL")
	if base == "" {
		t.Skip()
	}
	p := newTab(t)
	do(p, chromedp.Navigate(base))
	p.waits(`document.querySelector('q-app header') !== null`)
	for _, w := range []struct {
		width  int64
		scheme string
	}{{1600, "light"}, {1024, "dark"}, {360, "light"}} {
		p.look(w.width, w.scheme)
		for name, route := range map[string]string{"phone": "#/phone", "requests": "#/requests", "request": "#/requests/9999", "refused": "#/requests/9999", "money": "#/money", "wallet": "#/wallet/9hVnZ3YqS4sQb1xLDp1T2xwWvJkQh5qU7n8oPq3rXyZ1", "txs": "#/transactions", "tx": "#/tx/27txKSUID00000000000000001", "make": "#/make/person", "make-fund": "#/make/fund", "make-w": "#/make/withdrawal", "feeds": "#/feeds", "faults": "#/faults", "clock": "#/clock", "world": "#/world"} {
			if o := os.Getenv("ONLY"); o != "" && !strings.Contains(o, name) {
				continue
			}
			if name == "refused" {
				route = "#/requests/9999"
			}
			p.goTo(route)
			p.waits(`document.querySelector('main h1, main .error')!==null`)
			p.waits(`new Promise(r => setTimeout(() => r(true), 350))`)
			p.keep(fmt.Sprintf("%s-%d", name, w.width))
			if wide := eval[int](p, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
				fmt.Println(name, w.width, "is wider by", wide)
			}
			if o := eval[string](p, `[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll-x')).slice(0,3).map(e => e.tagName + '.' + e.className).join(' ')`); o != "" {
				fmt.Println(name, w.width, "over the edge:", o)
			}
		}
	}
}
