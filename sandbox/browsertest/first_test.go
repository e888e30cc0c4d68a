package browsertest

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

func start(t *testing.T, opts ...sandbox.Option) *sandbox.Server {
	t.Helper()
	srv, err := sandbox.Start(opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, srv.Close()) })
	return srv
}

func TestFirst(t *testing.T) {
	srv := start(t)
	p := newTab(t)
	do(p, chromedp.Navigate(srv.ConsoleURL()))
	p.waits(`document.querySelector('q-app header') !== null`)
	for _, s := range []string{"phone", "requests", "money", "transactions", "make", "feeds", "faults", "clock", "world"} {
		p.goTo("#/" + s)
		p.waits(`document.querySelector('main h1, main .error')!==null`)
		p.keep("first-" + s)
	}
}
