package sandbox_test

import (
	"math"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/sandbox"
)

// controls are the control calls in both their forms.
type controls struct {
	createUser      func(sandbox.User) (sandbox.User, error)
	accept          func(user string, company qredo.CompanyID) error
	deposit         func(address string, amount qredo.Amount) (sandbox.Deposit, error)
	depositBy       func(chainTxID, address string, amount qredo.Amount) (sandbox.Deposit, error)
	pending         func(user string) ([]sandbox.PendingApproval, error)
	approve, reject func(user, id string) error
	rejectOnChain   func(id string) error
	advance         func(time.Duration) error
	reset           func() error
	state           func() (sandbox.State, error)
}

func inGo(s *sandbox.Sandbox) controls {
	return controls{s.CreateUser, s.Accept, s.Deposit, s.DepositBy, s.Pending, s.Approve, s.Reject, s.RejectOnChain, s.Advance, s.Reset, s.State}
}

// controlOf serves a sandbox and returns its control over HTTP.
func controlOf(t testing.TB, s *sandbox.Sandbox) *sandbox.Control {
	t.Helper()
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	c, err := sandbox.NewControl(srv.URL + basePath) // the path is dropped
	require.NoError(t, err)
	return c
}

func overHTTP(t testing.TB, s *sandbox.Sandbox) controls {
	t.Helper()
	c, ctx := controlOf(t, s), t.Context()
	return controls{
		createUser: func(u sandbox.User) (sandbox.User, error) { return c.CreateUser(ctx, u) },
		accept:     func(u string, id qredo.CompanyID) error { return c.Accept(ctx, u, id) },
		deposit:    func(a string, n qredo.Amount) (sandbox.Deposit, error) { return c.Deposit(ctx, a, n) },
		depositBy: func(chain, a string, n qredo.Amount) (sandbox.Deposit, error) {
			return c.DepositBy(ctx, chain, a, n)
		},
		pending: func(u string) ([]sandbox.PendingApproval, error) { return c.Pending(ctx, u) },
		approve: func(u, id string) error { return c.Approve(ctx, u, id) },
		reject:  func(u, id string) error { return c.Reject(ctx, u, id) },
		advance: func(d time.Duration) error { return c.Advance(ctx, d) },

		rejectOnChain: func(id string) error { return c.RejectOnChain(ctx, id) },
		reset:         func() error { return c.Reset(ctx) },
		state:         func() (sandbox.State, error) { return c.State(ctx) },
	}
}

// withBoth runs a test with each form of the control calls.
func withBoth(t *testing.T, test func(t *testing.T, w world, c controls)) {
	t.Run("in Go", func(t *testing.T) { w := withFunds(t); test(t, w, inGo(w.Sandbox)) })
	t.Run("over HTTP", func(t *testing.T) { w := withFunds(t); test(t, w, overHTTP(t, w.Sandbox)) })
}

func TestControlOfPeople(t *testing.T) {
	withBoth(t, func(t *testing.T, w world, c controls) {
		made, err := c.createUser(sandbox.User{ID: "mine", Email: " Dave+1@Example.com ", FirstName: "Dave", LastName: "D"})
		require.NoError(t, err)
		assert.Equal(t, sandbox.User{ID: made.ID, Email: "Dave+1@Example.com", Username: "Dave+1", FirstName: "Dave", LastName: "D"}, made)
		assert.Regexp(t, account, made.ID, "the sandbox gives the ID")
		for _, email := range []string{"dave+1@example.com", "DAVE+1@EXAMPLE.COM"} {
			_, err = c.createUser(sandbox.User{Email: email})
			require.ErrorContains(t, err, "409")
			require.ErrorIs(t, err, qredo.ErrConflict)
			require.NotErrorIs(t, err, qredo.ErrNotFound)
		}
		for _, email := range []string{"", "dave", "  "} {
			_, err = c.createUser(sandbox.User{Email: email})
			require.ErrorContains(t, err, "400")
		}
		require.ErrorContains(t, c.accept(string(made.ID), ""), "404", "nobody has asked")
		w.post(w.inCompany("/trustedparty"), object{"address": "dave+1@example.com"}).ok()
		require.ErrorContains(t, c.accept(string(made.ID), "another"), "404")
		require.NoError(t, c.accept("dave+1@example.com", qredo.CompanyID(w.company)))
		assert.Contains(t, w.get(w.inCompany("/trustedparty")).column("list", "trusted_entity_id"), string(made.ID))

		for _, nobody := range []string{"nobody@example.com", "none", "a/b", "%2e"} {
			require.ErrorContains(t, c.accept(nobody, ""), "404")
			_, err = c.pending(nobody)
			require.ErrorContains(t, err, "404")
			require.ErrorContains(t, c.approve(nobody, "x"), "404")
			require.ErrorContains(t, c.reject(nobody, "x"), "404")
		}
	})
}

func TestControlOfApprovals(t *testing.T) {
	withBoth(t, func(t *testing.T, w world, c controls) {
		tx := w.withdrawal(nil).ok().at("tx_id")
		list, err := c.pending(alice)
		require.NoError(t, err)
		require.Len(t, list, 1)
		assert.Equal(t, tx, string(list[0].TxID))
		assert.Equal(t, startOfTime.Add(time.Hour).Unix(), list[0].Expires.Unix())
		require.NoError(t, c.approve(alice, string(list[0].ActionID)))
		require.ErrorContains(t, c.approve(alice, tx), "409")
		list, err = c.pending(alice)
		require.NoError(t, err)
		assert.NotNil(t, list)
		assert.Empty(t, list)
		require.NoError(t, c.reject(bob, tx))
		require.NoError(t, c.reject(w.ids[carol], tx))
		assert.Equal(t, "custody_rejected", w.withdrawalStatus(tx))
	})
}

func TestControlOfDeposits(t *testing.T) {
	withBoth(t, func(t *testing.T, w world, c controls) {
		address := w.get("/wallet/" + w.trading).ok().at("address")
		made, err := c.deposit(" "+address+" ", 5)
		require.NoError(t, err)
		assert.Equal(t, sandbox.Deposit{
			TxID: made.TxID, ChainTxID: made.ChainTxID, WalletID: qredo.WalletID(w.trading), Asset: btc, Amount: 5,
		}, made)
		for range 2 { // one transaction pays the same twice more
			again, err := c.depositBy(made.ChainTxID, w.trading, 5)
			require.NoError(t, err)
			assert.Equal(t, made.ChainTxID, again.ChainTxID)
			assert.NotEqual(t, made.TxID, again.TxID)
		}
		assert.EqualValues(t, 15, w.balance(w.trading))
		for _, wrong := range []string{"x", made.ChainTxID[1:], made.ChainTxID + "00"} {
			_, err = c.depositBy(wrong, w.trading, 5)
			require.ErrorContains(t, err, "400")
		}
		for _, unknown := range []string{"", "none", "no such code", payout} {
			_, err = c.deposit(unknown, 5)
			require.ErrorContains(t, err, "404")
		}
		for _, amount := range []qredo.Amount{0, -1, math.MinInt64} {
			_, err = c.deposit(address, amount)
			require.ErrorContains(t, err, "400")
		}
		assert.EqualValues(t, 15, w.balance(w.trading))

		// All deposits of an asset stay within 64 bits, in whatever wallets they are.
		_, err = c.deposit(address, math.MaxInt64)
		require.ErrorContains(t, err, "64 bits")
		_, err = c.deposit(address, math.MaxInt64-1_000_015)
		require.NoError(t, err)
		_, err = c.deposit(w.get("/wallet/"+w.treasury).at("address"), 1)
		require.ErrorContains(t, err, "64 bits")
		state, err := c.state()
		require.NoError(t, err)
		assert.Equal(t, qredo.Amount(math.MaxInt64), state.Totals[btc].Deposited)
		assert.Equal(t, state.Totals[btc].Deposited, state.Totals[btc].Balances)
		_, err = c.deposit(w.get("/wallet/"+w.ether).at("address"), math.MaxInt64)
		require.NoError(t, err, "another asset is counted on its own")
	})
}

func TestDepositsToEVMAddresses(t *testing.T) {
	withBoth(t, func(t *testing.T, w world, c controls) {
		// Capitals of an address of the EVM are a checksum; those of another are part of it.
		ether := w.get("/wallet/" + w.ether).ok().at("address")
		checksummed, err := qapi.ChecksumAddress(ether)
		require.NoError(t, err)
		for i, spelling := range []string{ether, checksummed, "0x" + strings.ToUpper(ether[2:])} {
			made, err := c.deposit(spelling, 7)
			require.NoError(t, err, spelling)
			assert.EqualValues(t, w.ether, made.WalletID)
			assert.EqualValues(t, 7*(i+1), w.balance(w.ether))
		}
		address := w.get("/wallet/" + w.trading).ok().at("address")
		_, err = c.deposit(strings.ToLower(address), 5)
		require.ErrorContains(t, err, "404")
	})
}

func TestControlOfTheClock(t *testing.T) {
	withBoth(t, func(t *testing.T, w world, c controls) {
		require.NoError(t, c.advance(time.Hour))
		assert.Equal(t, startOfTime.Add(time.Hour), w.Now())
		require.NoError(t, c.advance(time.Second))
		w.clock.forward(time.Minute)
		state, err := c.state()
		require.NoError(t, err)
		assert.Equal(t, startOfTime.Add(time.Hour+time.Minute+time.Second).Unix(), state.Now.Unix())

		const century = 100 * 365 * 24 * time.Hour
		for _, by := range []time.Duration{0, -time.Second, math.MinInt64, century, century - time.Hour} {
			require.ErrorContains(t, c.advance(by), "400", "by %s", by)
		}
		require.NoError(t, c.advance(century-time.Hour-time.Second))
		require.ErrorContains(t, c.advance(time.Second), "400", "100 years in all")
	})
}

func TestControlReset(t *testing.T) {
	withBoth(t, func(t *testing.T, w world, c controls) {
		w.transfer(object{"partner_txID": "p-1"}).ok()
		require.NoError(t, c.advance(time.Hour))
		require.NoError(t, c.reset())
		state, err := c.state()
		require.NoError(t, err)
		assert.Equal(t, sandbox.State{
			Now: qredo.Unix(startOfTime.Unix()), Users: []sandbox.User{}, Companies: []sandbox.CompanyState{},
			Totals: map[qredo.AssetCode]sandbox.Totals{},
		}, state, "the clock is set back too")
		w.get(w.inCompany("")).refused(404, "company")
		require.ErrorContains(t, c.approve(alice, "x"), "404")
		company := w.newCompany("Acme Exchange", "acme.example") // the keys are kept, the conflict is gone
		assert.NotEqual(t, w.company, company)
	})
}

func TestControlState(t *testing.T) {
	withBoth(t, func(t *testing.T, w world, c controls) {
		approved := w.transfer(object{"send": object{"symbol": btc, "amount": 200_000}}).ok().at("tx_id")
		require.NoError(t, c.approve(alice, approved))
		w.transfer(nil).ok()
		state, err := c.state()
		require.NoError(t, err)
		assert.Equal(t, 3, state.Transactions)
		assert.Equal(t, map[qredo.AssetCode]sandbox.Totals{
			btc: {Deposited: 1_000_000, Balances: 999_800, Fees: 200}, eth: {},
		}, state.Totals)
		require.Len(t, state.Users, 3)
		assert.Equal(t, []string{alice, bob, carol}, []string{state.Users[0].Email, state.Users[1].Email, state.Users[2].Email})
		require.Len(t, state.Companies, 1)
		assert.Equal(t, "Acme Exchange", state.Companies[0].Name)
		wallets := state.Companies[0].Funds[0].Wallets
		require.Len(t, wallets, 3)
		wallet := w.get("/wallet/" + w.treasury).ok()
		assert.Equal(t, sandbox.WalletState{
			ID: qredo.WalletID(w.treasury), Name: "Treasury", Asset: btc, Address: wallet.at("address"),
			ShortCode: wallet.at("short_code"), Balance: 799_800, Held: 1001,
		}, wallets[0])
	})
}

func TestControlCallsOverHTTPAreJSON(t *testing.T) {
	w := withFunds(t)
	call := func(method, path, body string) answer {
		t.Helper()
		req := httptest.NewRequest(method, "http://127.0.0.1:8080/sandbox/v1"+path, strings.NewReader(body))
		req.RemoteAddr = "127.0.0.1:40000"
		return w.as("").send(req)
	}
	made := call("POST", "/users", `{"email":"dave@example.com","firstName":"D"}`).ok()
	assert.Equal(t, "D", made.at("first_name"))
	assert.JSONEq(t, `{"approvals":[],"total":0}`, string(call("GET", "/users/dave@example.com/approvals", "").ok().Body))
	assert.JSONEq(t, `{"code":200,"msg":"OK","now":"2026-03-01T12:00:05Z","advanced_seconds":5}`, string(call("POST", "/clock/advance", `{"seconds":"5"}`).ok().Body))
	assert.Equal(t, startOfTime.Unix()+5, call("GET", "/state", "").ok().number("now"))
	for _, test := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/users", "", 400}, {"POST", "/users", "{", 400}, {"POST", "/users", "[]", 400},
		{"POST", "/users/dave@example.com/accept", "nonsense", 400}, {"POST", "/deposits", "nonsense", 400},
		{"POST", "/deposits", `{"address":"x","amount":1.5}`, 400}, {"POST", "/deposits", "", 404},
		{"POST", "/clock/advance", "", 400}, {"POST", "/clock/advance", `{"seconds":9223372036854775807}`, 400},
		{"POST", "/clock/advance", `{"seconds":-9223372036854775808}`, 400}, {"POST", "/clock/advance", "x", 400},
		{"GET", "", "", 404}, {"GET", "/", "", 404}, {"GET", "/nothing", "", 404}, {"GET", "/reset", "", 404}, {"DELETE", "/users", "", 404},
		{"GET", "/users//approvals", "", 404}, {"GET", "x/state", "", 404},
	} {
		t.Run(test.method+" "+test.path+" "+test.body, func(t *testing.T) { call(test.method, test.path, test.body).refused(test.status, "") })
	}
}

// Where calls are taken from is tested beside what decides it.
func TestControlCallsAreForThisMachineOnly(t *testing.T) {
	w := withFunds(t)
	for origin, status := range map[string]int{"": 200, "https://evil.example": 403} {
		before := w.Now()
		req := httptest.NewRequest("POST", "http://127.0.0.1:8080/sandbox/v1/clock/advance", strings.NewReader(`{"seconds":1}`))
		req.RemoteAddr = "127.0.0.1:40000"
		if origin != "" {
			req.Header.Set("Origin", origin)
		}
		if got := w.send(req); status == 200 {
			got.ok()
			assert.Equal(t, before.Add(time.Second), w.Now())
		} else {
			got.refused(status, "this machine")
			assert.Equal(t, before, w.Now())
		}
	}
}
