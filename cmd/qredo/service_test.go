package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// sharedKeys is what keyDir has made, if anything.
var sharedKeys string

// keyDir holds the keys of all sandboxes of the tests: making one takes long.
var keyDir = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "qredo-keys-")
	if err != nil {
		return "", err
	}
	sharedKeys = dir
	s, err := sandbox.New(sandbox.WithKeyDir(dir))
	if err != nil {
		return "", err
	}
	return dir, s.Close()
})

// demo names what is in the demo's world.
type demo struct {
	Company, Maker         qredo.CompanyID
	Fund, MakerFund        qredo.FundID
	Treasury, Trading, Eth qredo.WalletID
	MakerBTC, MakerETH     qredo.WalletID
	CoreClient             qredo.CoreClientID
	Payout                 string // a whitelisted address
	PendingTransfer        qredo.TxID
	PendingWithdrawal      qredo.TxID
}

func demoOf(w sandbox.MadeWorld) demo {
	const exchange, maker = "Demo Exchange", "Demo Maker"
	wallet := func(path string) qredo.WalletID { return w.Wallets[path] }
	return demo{
		Company: w.Companies[exchange], Fund: w.Funds[exchange+"/Client assets"], Maker: w.Companies[maker], MakerFund: w.Funds[maker+"/Inventory"],
		Treasury: wallet(exchange + "/Client assets/Treasury"), Trading: wallet(exchange + "/Client assets/Trading"), Eth: wallet(exchange + "/Client assets/Ether"),
		MakerBTC: wallet(maker + "/Inventory/Bitcoin"), MakerETH: wallet(maker + "/Inventory/Ether"), CoreClient: w.CoreClients["Demo approver"],
		Payout:          "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx",
		PendingTransfer: w.Payments["demo: waits for Alice or Bob"], PendingWithdrawal: w.Payments["demo: waits for Alice and Bob"],
	}
}

// service is a sandbox with a demo in it, and what is known of it.
type service struct {
	demo
	client  *qredo.Client
	sandbox *sandbox.Sandbox
	url     string
	keys    string
}

// startService serves a sandbox. wrap is put before it, if it is not nil.
func startService(wrap func(http.Handler) http.Handler, opts ...sandbox.Option) (s *service, stop func(), err error) {
	keys, err := keyDir()
	if err != nil {
		return nil, nil, err
	}
	sb, err := sandbox.New(append([]sandbox.Option{sandbox.WithKeyDir(keys)}, opts...)...)
	if err != nil {
		return nil, nil, err
	}
	var handler http.Handler = sb
	if wrap != nil {
		handler = wrap(sb)
	}
	server := httptest.NewServer(handler)
	stop = func() {
		_ = sb.Close() // feeds end first, or the server waits for them
		server.CloseClientConnections()
		server.Close()
	}
	client, err := qredo.NewClient(sb.Auth(), qredo.WithBaseURL(server.URL+"/api/v1/p"))
	if err != nil {
		return nil, stop, err
	}
	made, err := sb.MakeNamedWorld("demo")
	return &service{demo: demoOf(made), client: client, sandbox: sb, url: server.URL, keys: keys}, stop, err
}

// serve is startService for a test.
func serve(t *testing.T, wrap func(http.Handler) http.Handler, opts ...sandbox.Option) *service {
	t.Helper()
	s, stop, err := startService(wrap, opts...)
	require.NoError(t, err)
	t.Cleanup(stop)
	return s
}

// environ is what the command needs to reach the service.
func (s *service) environ() []string {
	return []string{
		"QREDO_BASE_URL=" + s.url + "/api/v1/p",
		"QREDO_API_KEY_FILE=" + filepath.Join(s.keys, "apikey"),
		"QREDO_PRIVATE_KEY_FILE=" + filepath.Join(s.keys, "private.pem"),
		"QREDO_QAPI_KEY_FILE=" + filepath.Join(s.keys, "qapi-apikey"),
		"QREDO_QAPI_SECRET_FILE=" + filepath.Join(s.keys, "qapi-secret"),
		"QREDO_COMPANY=" + string(s.Company),
	}
}

// names are what scripts call the parts of the demo.
func (s *service) names() []string {
	return []string{
		"COMPANY=" + string(s.Company), "FUND=" + string(s.Fund), "TREASURY=" + string(s.Treasury), "TRADING=" + string(s.Trading),
		"ETHER=" + string(s.Eth), "MAKER=" + string(s.Maker), "MAKERFUND=" + string(s.MakerFund), "MAKERBTC=" + string(s.MakerBTC),
		"MAKERETH=" + string(s.MakerETH), "CORECLIENT=" + string(s.CoreClient), "PAYOUT=" + s.Payout,
		"PENDING_TRANSFER=" + string(s.PendingTransfer), "PENDING_WITHDRAWAL=" + string(s.PendingWithdrawal),
		"URL=" + s.url, "KEYS=" + s.keys, "HOSTPORT=" + strings.TrimPrefix(s.url, "http://"),
	}
}
