package cli

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// refusing answers what a path has in it with 403, and notes all that is asked.
type refusing struct {
	mu    sync.Mutex
	paths []string
	asked []string
	next  http.Handler
}

func (r *refusing) wrap(next http.Handler) http.Handler { r.next = next; return r }

func (r *refusing) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	r.asked = append(r.asked, req.Method+" "+strings.TrimPrefix(req.URL.Path, "/api/v1/p"))
	no := slices.ContainsFunc(r.paths, func(path string) bool { return strings.Contains(req.URL.Path, path) })
	r.mu.Unlock()
	if no {
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"code":403,"msg":"not\nyours \u001b[31m"}`))
		return
	}
	r.next.ServeHTTP(w, req)
}

func (r *refusing) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	asked := r.asked
	r.asked = nil
	return asked
}

// TestTheQuestionShowsEverything demands each line of what is shown before the question.
func TestTheQuestionShowsEverything(t *testing.T) {
	s := serveDemo(t, nil)
	company := `company "Demo Exchange" ` + s.env["QREDO_COMPANY"]
	in := `in                fund "Client assets" ` + s.fund() + ` of ` + company
	treasury, trading, ether := s.wallet("Treasury"), s.wallet("Trading"), s.wallet("Ether")
	foreign := string(s.made.Wallets["Demo Maker/Inventory/Bitcoin"])
	for name, c := range map[string]struct {
		args []string
		want []string
		not  string
	}{
		"transfer": {
			[]string{"transfer", "create", "--from", treasury, "--to", trading, "--amount", "0.4BTC-TESTNET", "--reference", "rent", "--expires", "2h"},
			[]string{
				"Transfer 0.4 BTC-TESTNET (40000000 base units)", `from              "Treasury" ` + treasury, in, `to                "Trading" ` + trading,
				"reference         rent", "arrives           0.4 BTC-TESTNET (40000000 base units)", "fees              0.0004 BTC-TESTNET (40000 base units)",
				"leaves the wallet 0.4004 BTC-TESTNET (40040000 base units)", "balance           1.3999 BTC-TESTNET (139990000 base units)",
				"available         1.124625 BTC-TESTNET (112462500 base units)", "will be left      0.724225 BTC-TESTNET (72422500 base units)",
				"approval by       1 of alice@example.com, bob@example.com", "Proceed? [y/N]",
			}, "warning",
		},
		"withdrawal": {
			[]string{"withdraw", "create", "--from", treasury, "--address", demoPayout, "--amount", "0.25BTC-TESTNET", "--benefit-of", "Bob", "--account-no", "7"},
			[]string{"to                " + demoPayout, `whitelisted as    "Cold storage"`, "for benefit of    Bob", "account number    7", "approval by       2 of"}, "warning",
		},
		"not on the whitelist": {
			[]string{"withdraw", "create", "--from", treasury, "--address", "it's me", "--amount", "0.25BTC-TESTNET"},
			[]string{
				"whitelisted as    not on the fund's whitelist", "warning: the address is not on the fund's whitelist for BTC-TESTNET: the service will refuse this.",
				"qredo fund whitelist add " + s.fund() + ` --asset BTC-TESTNET --address 'it'\''s me'`,
			}, "",
		},
		"more than is available": {
			[]string{"transfer", "create", "--from", treasury, "--to", trading, "--amount", "1.2BTC-TESTNET"},
			[]string{"will be left      nothing", "warning: this is more than can leave the wallet now, which is 1.12350149 BTC-TESTNET"}, "",
		},
		"soon": {
			[]string{"transfer", "create", "--from", treasury, "--to", trading, "--amount", "0.1BTC-TESTNET", "--expires", "9m"},
			[]string{" and must be approved before that: give a later --expires"}, "",
		},
		"to itself": {
			[]string{"transfer", "create", "--from", treasury, "--to", treasury, "--amount", "0.1BTC-TESTNET"},
			[]string{"warning: sender and recipient are the same wallet"}, "",
		},
		"another company's wallet": {
			[]string{"transfer", "create", "--from", treasury, "--to", foreign, "--amount", "0.1BTC-TESTNET"},
			[]string{`to                "Bitcoin" ` + foreign, `in                a fund of another company than "Demo Exchange"`}, "warning",
		},
		"from another company's wallet": {
			[]string{"transfer", "create", "--from", foreign, "--to", trading, "--amount", "0.1BTC-TESTNET"},
			[]string{"warning: wallet " + foreign + " does not belong to the company"}, "",
		},
		"a wallet that nobody sees": {
			[]string{"transfer", "create", "--from", treasury, "--to", "three odd words", "--amount", "0.1BTC-TESTNET"},
			[]string{"to                three odd words, not known:"}, "",
		},
		"an offer": {
			[]string{"swap", "make", "--from", treasury, "--send", "0.1BTC-TESTNET", "--to", ether, "--receive", "2ETH-TESTNET", "--reference", "q", "--hub"},
			[]string{
				"Offer 0.1 BTC-TESTNET for 2 ETH-TESTNET", "you receive       2 ETH-TESTNET (2000000000 base units)", "they receive      0.1 BTC-TESTNET (10000000 base units)",
				"leaves the wallet 0.1001 BTC-TESTNET", "will be left      1.024525 BTC-TESTNET", "liquidity hub",
			}, "warning",
		},
		"an offer that is not on the hub": {
			[]string{"swap", "take", "3MpDUksyUoPj7HbVtM3GqSE4za7", "--from", treasury, "--to", ether, "--reference", "q"},
			[]string{"amounts           not known", "fees              not known", "warning: make sure that you know the offer's amounts"}, "",
		},
		"Web3": {
			[]string{"qapi", "tx", "create", "--from", "0x" + strings.Repeat("1", 40), "--to", "0x" + strings.Repeat("2", 40), "--value", "0.5ETH", "--gas-limit", "21000", "--gas-price", "20gwei"},
			[]string{"fees              at most 0.00042 ETH (420000000000000 wei)", "leaves the wallet at most 0.50042 ETH", "warning: no wallet of the account has the address"}, "",
		},
	} {
		_, said, code := s.run(t, "n\n", c.args...)
		assert.Equal(t, exitFailed, code, "%s: %s", name, said)
		for _, text := range c.want {
			assert.Contains(t, said, text, name)
		}
		if c.not != "" {
			assert.NotContains(t, said, c.not, name)
		}
	}
	pending, err := s.sandbox.State()
	require.NoError(t, err)
	assert.Equal(t, 10, pending.Transactions, "nothing was made")

	// What the service would surely refuse, and nobody can mean, is refused before.
	_, said, code := s.run(t, "y\n", "transfer", "create", "--from", treasury, "--to", ether, "--amount", "0.1BTC-TESTNET")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, said, "holds ETH-TESTNET, not BTC-TESTNET")
	_, said, code = s.run(t, "y\n", "transfer", "create", "--from", treasury, "--to", trading, "--amount", "0.1BTC-TESTNET", "--expires", "2020-01-01T00:00:00Z")
	assert.Equal(t, exitUsage, code)
	assert.NotContains(t, said, "Proceed?", "what is wrong is told before the question")
}

// TestWhatWasShownIsSent: after the answer comes one request, and it is what was shown, whatever has other names by then.
// What cannot be looked up is said to be not known, and hinders nobody.
func TestWhatWasShownIsSent(t *testing.T) {
	service := &refusing{}
	s := serveDemo(t, service.wrap)
	treasury, trading := s.wallet("Treasury"), s.wallet("Trading")
	transfer := []string{"transfer", "create", "--from", treasury, "--to", trading, "--amount", "0.01BTC-TESTNET", "--output", "json"}
	for name, c := range map[string]struct {
		fails []string
		want  []string
	}{
		"all is known": {nil, []string{"fees              0.00001 BTC-TESTNET"}},
		"fees":         {[]string{"/fees"}, []string{"arrives           0.01 BTC-TESTNET", "fees              not known: ", "will be left      not known"}},
		"maximum":      {[]string{"/max"}, []string{"available         not known: ", "will be left      not known"}},
		"funds":        {[]string{"/fund/"}, []string{"in                not known: "}},
		"company":      {[]string{"/company/" + s.env["QREDO_COMPANY"]}, []string{"company's name    not known: ", "in                not known: "}},
	} {
		service.paths = c.fails
		service.take()
		_, said, code := s.run(t, "y\n", transfer...)
		for _, text := range c.want {
			assert.Contains(t, said, text, name)
		}
		assert.NotContains(t, said, "\x1b", name)
		assert.NotContains(t, said, "not\nyours", name)
		asked := service.take()
		post := "POST /company/" + s.env["QREDO_COMPANY"] + "/transfer"
		require.Contains(t, asked, post, "%s: %s", name, said)
		assert.Equal(t, post, asked[len(asked)-1], "nothing is looked up after the answer")
		if name != "company" {
			assert.Equal(t, exitDone, code, "%s: %s", name, said)
		}
	}
	service.paths = nil

	// By a short code: the ID goes that was shown.
	w, err := s.client(t).Wallets.Get(t.Context(), qredo.WalletID(treasury))
	require.NoError(t, err)
	out, said, code := s.run(t, "", append(slices.Clone(transfer), "--from", w.ShortCode, "--dry-run")...)
	require.Equal(t, exitDone, code, said)
	var report struct {
		Request struct {
			Body json.RawMessage `json:"body"`
		} `json:"request"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	assert.Contains(t, string(report.Request.Body), `"wallet_id":"`+treasury+`"`)
}

// TestAnOfferIsShownBeforeItIsTaken, cancelled or published.
func TestAnOfferIsShownBeforeItIsTaken(t *testing.T) {
	s := serveDemo(t, nil)
	client := s.client(t)
	maker := s.made.Companies["Demo Maker"]
	offer, err := client.Swaps.Make(t.Context(), maker, qredo.SwapRequest{
		SendWalletID: s.made.Wallets["Demo Maker/Inventory/Ether"], ReceiveWalletID: s.made.Wallets["Demo Maker/Inventory/Bitcoin"],
		Reference: "quote", Expires: qredo.TimeOf(time.Now().Add(time.Hour)), AddToLiquidityHub: true,
		Send: qredo.AssetAmount{Asset: "ETH-TESTNET", Amount: 2_000_000_000}, Receive: qredo.AssetAmount{Asset: "BTC-TESTNET", Amount: 10_000_000},
	})
	require.NoError(t, err)
	robot := s.made.CoreClients["Demo approver"]
	actions, err := client.CoreClients.ListActions(t.Context(), robot)
	require.NoError(t, err)
	for _, action := range actions {
		require.NoError(t, client.CoreClients.Approve(t.Context(), robot, action.ID))
	}
	id := string(offer.TxID)
	_, said, code := s.run(t, "n\n", "swap", "take", id, "--from", s.wallet("Treasury"), "--to", s.wallet("Ether"), "--reference", "q")
	assert.Equal(t, exitFailed, code)
	for _, text := range []string{
		"Take swap " + id, "you receive       2 ETH-TESTNET", "they receive      0.1 BTC-TESTNET", "leaves the wallet 0.1001 BTC-TESTNET", "will be left      1.024525 BTC-TESTNET",
	} {
		assert.Contains(t, said, text)
	}
	_, said, code = s.run(t, "y\n", "swap", "take", id, "--from", s.wallet("Ether"), "--to", s.wallet("Treasury"), "--reference", "q")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, said, "the offer is ETH-TESTNET for BTC-TESTNET, but wallet ")
	for _, verb := range [][]string{{"hub", "publish", id}, {"swap", "cancel", id}} {
		args := append(verb, "--company", string(maker))
		_, said, code = s.run(t, "", args...)
		assert.Equal(t, exitUsage, code, "there is nobody to ask")
		assert.Contains(t, said, "give --yes")
		_, said, code = s.run(t, "y\n", args...)
		assert.Equal(t, exitDone, code, said)
		assert.Contains(t, said, "it sends          2.002 ETH-TESTNET (2002000000 base units), fees included")
		assert.Contains(t, said, "Proceed?")
	}
}

// TestMoreThanIsThereIsSaidWithoutFees: what arrives alone is too much, whatever the fees are.
func TestMoreThanIsThereIsSaidWithoutFees(t *testing.T) {
	proxy := &refusing{paths: []string{"/fees"}}
	s := serveDemo(t, proxy.wrap)
	_, said, _ := s.run(t, "n\n", "transfer", "create", "--from", s.wallet("Treasury"), "--to", s.wallet("Trading"), "--amount", "1.2BTC-TESTNET")
	assert.Contains(t, said, "fees              not known")
	assert.Contains(t, said, "will be left      nothing")
	assert.Contains(t, said, "warning: this is more than can leave the wallet now")
}
