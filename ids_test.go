package qredo_test

import (
	"context"
	"encoding/hex"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// badIDs are missing, or would change the path that they are put into.
var badIDs = []string{
	"", ".", "..", "/", "a/b", "../x", "a/../b", `a\b`, "a?b=c", "a#b", "a%2fb", "%2e%2e", " a", "a b", "a\nb", "a\tb", "a\x00b", "a\x7f",
}

// placeholders are the fields that a refusal names, by the type of the ID.
var placeholders = map[string]string{
	"CompanyID": "company_id", "FundID": "fund_id", "WalletID": "wallet_id", "TxID": "tx_id", "TrustedEntityID": "trustedparty_id",
}

// goodArguments are valid arguments of the methods, other than IDs.
var goodArguments = map[reflect.Type]reflect.Value{}

func init() {
	for _, v := range []any{
		clienttest.Acme, "acme", qredo.AssetCode("BTC"), qredo.TrustedPartyRequest{Address: "a@b.example"}, qredo.FundRequest{Name: "F"},
		[]qredo.WalletRequest{{Asset: "BTC"}}, []qredo.AssetCode{"BTC"}, qredo.WhitelistEntry{Asset: "BTC", Address: "a"},
		clienttest.GoodTransfer(), clienttest.GoodWithdrawal(),
	} {
		goodArguments[reflect.TypeOf(v)] = reflect.ValueOf(v)
	}
}

// isPathID tells whether a parameter is an ID that goes into a path.
func isPathID(t reflect.Type) bool {
	return t.Kind() == reflect.String && t.PkgPath() != "" && strings.HasSuffix(t.Name(), "ID") && t.Name() != "PartnerTxID"
}

// eachPathID calls visit for every parameter of every method of every service that is an ID, with the
// method and the parameter's position.
func eachPathID(client *qredo.Client, visit func(name string, method reflect.Value, position int)) {
	services := reflect.ValueOf(client).Elem()
	for i := range services.NumField() {
		service := services.Field(i)
		if !services.Type().Field(i).IsExported() {
			continue
		}
		for j := range service.NumMethod() {
			method := service.Method(j)
			for position := range method.Type().NumIn() {
				if isPathID(method.Type().In(position)) {
					visit(services.Type().Field(i).Name+"."+service.Type().Method(j).Name, method, position)
				}
			}
		}
	}
}

// callWith calls a method with a good value for every parameter but one, and returns its error.
func callWith(t *testing.T, method reflect.Value, position int, id string) error {
	t.Helper()
	args := []reflect.Value{reflect.ValueOf(t.Context())}
	for i := 1; i < method.Type().NumIn(); i++ {
		in := method.Type().In(i)
		good, known := goodArguments[in]
		switch {
		case i == method.Type().NumIn()-1 && method.Type().IsVariadic():
			continue
		case i == position:
			good = reflect.ValueOf(id).Convert(in)
		case isPathID(in):
			good = reflect.ValueOf("good").Convert(in)
		case !known:
			good = reflect.Zero(in)
		}
		args = append(args, good)
	}
	results := method.Call(args)
	last := results[len(results)-1]
	if last.Kind() == reflect.Func { // an iterator: its first error
		for _, err := range last.Seq2() {
			last = err
			break
		}
	}
	err, _ := last.Interface().(error)
	return err
}

// Every method with an ID in its path refuses one that is empty or breaks the path, and sends nothing.
func TestBadIDsInEveryMethod(t *testing.T) {
	client := clienttest.NewClient(t, clienttest.RefuseAll(t))
	methods := map[string]bool{}
	eachPathID(client, func(name string, method reflect.Value, position int) {
		methods[name] = true
		kind := method.Type().In(position).Name()
		for _, id := range badIDs {
			if kind == "WalletID" && id == "a b" {
				continue // it may be a short code
			}
			err := callWith(t, method, position, id)
			var refused *qredo.ValidationError
			require.ErrorAs(t, err, &refused, "%s with %s %q: %v", name, kind, id, err)
			if field, known := placeholders[kind]; known && takesKnownArguments(method) {
				require.Equal(t, field, refused.Field, "%s with %s %q: %v", name, kind, id, err)
			}
		}
	})
	for _, name := range []string{
		"Companies.Get", "Companies.Update", "Companies.ListHoldings", "TrustedNetwork.Add", "TrustedNetwork.List",
		"TrustedNetwork.Remove", "Funds.Create", "Funds.Get", "Funds.Search", "Funds.AddWallets", "Funds.AddAssets",
		"Funds.ListDepositAddresses", "Funds.ListWhitelist", "Funds.AddToWhitelist", "Funds.ListLedger", "Funds.LedgerAll", "Wallets.Get",
		"Wallets.ListHistory", "Transfers.Create", "Transfers.Get", "Transfers.Wait", "Transfers.Withdraw",
		"Transfers.GetWithdrawal", "Transfers.WaitWithdrawal",
	} {
		require.Contains(t, methods, name, "the methods are found by their parameters' types")
	}
}

// takesKnownArguments reports whether a method's other arguments are valid, so that the ID is what is refused. Options
// may be empty.
func takesKnownArguments(method reflect.Value) bool {
	for i := 1; i < method.Type().NumIn()-1; i++ {
		in := method.Type().In(i)
		if _, known := goodArguments[in]; !known && !isPathID(in) && !strings.HasSuffix(in.Name(), "Options") {
			return false
		}
	}
	return true
}

// A short code stands for a wallet's ID, with its spaces, which become %20 in a path. That is also what is signed.
func TestShortCodesAreWalletIDs(t *testing.T) {
	const code qredo.WalletID = "copper lantern valley"
	for _, bad := range []qredo.WalletID{" " + code, code + " ", " ", "a\tb c", "a b/c"} {
		_, err := clienttest.NewClient(t, clienttest.RefuseAll(t)).Wallets.Get(t.Context(), bad)
		clienttest.RequireInvalid(t, err, "wallet_id")
		req := clienttest.GoodTransfer()
		req.WalletID = bad
		_, err = clienttest.NewClient(t, clienttest.RefuseAll(t)).Transfers.Create(t.Context(), clienttest.CompanyID, req)
		clienttest.RequireInvalid(t, err, "wallet_id")
	}
	var sent []*http.Request
	var bodies []string
	client := clienttest.NewClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
		body := ""
		if req.Body != nil {
			data, err := io.ReadAll(req.Body)
			require.NoError(t, err)
			body = string(data)
		}
		sent, bodies = append(sent, req), append(bodies, body)
		return clienttest.Answer(req, 200, `{"wallet_id":"w","tx_id":"t","List":[],"Total":0}`), nil
	}))
	_, err := client.Wallets.Get(t.Context(), code)
	require.NoError(t, err)
	transfer := clienttest.GoodTransfer()
	transfer.WalletID, transfer.Counterparty = code, "maple otter cloud"
	_, err = client.Transfers.Create(t.Context(), clienttest.CompanyID, transfer)
	require.NoError(t, err)
	swap, take := clienttest.GoodSwap(), clienttest.GoodTake()
	swap.SendWalletID, swap.ReceiveWalletID, take.SendWalletID, take.ReceiveWalletID = code, code, code, code
	_, err = client.Swaps.Make(t.Context(), clienttest.CompanyID, swap)
	require.NoError(t, err)
	_, err = client.Swaps.Take(t.Context(), clienttest.CompanyID, take)
	require.NoError(t, err)
	_, err = client.Funds.ListLedger(t.Context(), clienttest.CompanyID, clienttest.FundID, qredo.LedgerOptions{WalletID: code})
	require.NoError(t, err)

	require.Equal(t, clienttest.BaseURL+"/wallet/copper%20lantern%20valley", sent[0].URL.String())
	require.Equal(t, "/api/v1/p/wallet/copper%20lantern%20valley", sent[0].URL.RequestURI(), "what goes over the line")
	clienttest.VerifySignature(t, sent[0].Header.Get("x-sign"), "1700000000", sent[0].URL.String(), nil)
	require.Contains(t, bodies[1], `"wallet_id":"copper lantern valley","counterparty_wallet_address":"maple otter cloud"`)
	for _, body := range bodies[2:4] {
		require.Contains(t, body, `"send_wallet_id":"copper lantern valley","receive_wallet_id":"copper lantern valley"`)
	}
	require.Equal(t, string(code), sent[4].URL.Query().Get("wallet_id"))
	clienttest.VerifySignature(t, sent[4].Header.Get("x-sign"), "1700000000", sent[4].URL.String(), nil)
}

// An ID with unusual but harmless characters is escaped, and what is signed is what is sent.
func TestUnusualIDs(t *testing.T) {
	for id, escaped := range map[qredo.CompanyID]string{
		"a.b": "a.b", "...": "...", "a:b@c": "a:b@c", "a+b=c&d": "a+b=c&d", "é": "%C3%A9", "a;b,c": "a%3Bb%2Cc", "\xff": "%FF", `"<>"`: "%22%3C%3E%22",
	} {
		var sent *http.Request
		client := clienttest.NewClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
			sent = req
			return clienttest.Answer(req, 200, `{"name":"c"}`), nil
		}))
		_, err := client.Companies.Get(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, clienttest.BaseURL+"/company/"+escaped, sent.URL.String())
		require.Equal(t, "/api/v1/p/company/"+escaped, sent.URL.RequestURI(), "what goes over the line")
		clienttest.VerifySignature(t, sent.Header.Get("x-sign"), "1700000000", clienttest.BaseURL+"/company/"+escaped, nil)
	}
}

// The IDs that the reads below ask for, and other ones.
const asked, other = "1va2cJ2pqdLSFAN5t1knBrnuMvw", "2Ky9Pf34qY6Nb3wWD25RQ4F5ZR3"

// subjects are the calls whose responses say what they are about, with a response that has an ID in the place of ID. In a
// list, the first of two elements is about what was asked for.
var subjects = map[string]struct {
	answer string
	call   func(context.Context, *qredo.Client) (any, error)
}{
	"Companies.Get": {`{"company_id":"ID","name":"A"}`, func(ctx context.Context, c *qredo.Client) (any, error) { return c.Companies.Get(ctx, asked) }},
	"Companies.Update": {`{"company_id":"ID","ref":"r"}`, func(ctx context.Context, c *qredo.Client) (any, error) {
		return c.Companies.Update(ctx, asked, qredo.CompanyUpdate{Ref: "r"})
	}},
	"TrustedNetwork.List": {`{"company_id":"ID","list":[]}`, func(ctx context.Context, c *qredo.Client) (any, error) { return c.TrustedNetwork.List(ctx, asked) }},
	"Funds.Get":           {`{"fund_id":"ID"}`, func(ctx context.Context, c *qredo.Client) (any, error) { return c.Funds.Get(ctx, "c", asked) }},
	"Funds.ListLedger": {`{"List":[{"TxID":"t","fundID":"` + asked + `"},{"TxID":"t","fundID":"ID"}]}`, func(ctx context.Context, c *qredo.Client) (any, error) {
		return c.Funds.ListLedger(ctx, "c", asked, qredo.LedgerOptions{})
	}},
	"Funds.ListLedger of a wallet": {`{"List":[{"TxID":"t","walletID":"` + asked + `"},{"TxID":"t","walletID":"ID"}]}`, func(ctx context.Context, c *qredo.Client) (any, error) {
		return c.Funds.ListLedger(ctx, "c", "f", qredo.LedgerOptions{WalletID: asked})
	}},
	"Funds.LedgerAll": {`{"List":[{"TxID":"t","fundID":"ID"}],"Total":1}`, func(ctx context.Context, c *qredo.Client) (got any, err error) {
		for got, err = range c.Funds.LedgerAll(ctx, "c", asked, qredo.LedgerOptions{}) {
			break
		}
		return got, err
	}},
	"Wallets.Get": {`{"wallet_id":"ID","balance":7}`, func(ctx context.Context, c *qredo.Client) (any, error) { return c.Wallets.Get(ctx, asked) }},
	"Wallets.Get with its short code": {`{"wallet_id":"ID","short_code":"copper lantern valley"}`, func(ctx context.Context, c *qredo.Client) (any, error) {
		return c.Wallets.Get(ctx, asked)
	}},
	"Wallets.ListHistory": {`{"history":[{"wallet_id":"` + asked + `"},{"wallet_id":"ID"}]}`, func(ctx context.Context, c *qredo.Client) (any, error) {
		return c.Wallets.ListHistory(ctx, asked, qredo.HistoryOptions{})
	}},
	"Transfers.Get": {`{"txID":"ID","txStatus":"approved"}`, func(ctx context.Context, c *qredo.Client) (any, error) { return c.Transfers.Get(ctx, "c", asked) }},
	"Transfers.GetWithdrawal": {`{"txID":"ID","txStatus":"approved"}`, func(ctx context.Context, c *qredo.Client) (any, error) {
		return c.Transfers.GetWithdrawal(ctx, "c", asked)
	}},
	"Swaps.GetMake": {`{"txID":"ID"}`, func(ctx context.Context, c *qredo.Client) (any, error) { return c.Swaps.GetMake(ctx, "c", asked) }},
	"Swaps.GetTake": {`{"txID":"ID"}`, func(ctx context.Context, c *qredo.Client) (any, error) { return c.Swaps.GetTake(ctx, "c", asked) }},
	"CoreClients.GetSweep": {`{"txID":"ID"}`, func(ctx context.Context, c *qredo.Client) (any, error) {
		return c.CoreClients.GetSweep(ctx, "a", asked)
	}},
	"CoreClients.GetAction": {`{"id":"ID"}`, func(ctx context.Context, c *qredo.Client) (any, error) {
		return c.CoreClients.GetAction(ctx, "a", asked)
	}},
	"CoreClients.GetAction of a client": {`{"id":"action","coreClientID":"ID"}`, func(ctx context.Context, c *qredo.Client) (any, error) {
		return c.CoreClients.GetAction(ctx, asked, "action")
	}},
	"CoreClients.ListActions": {`{"actions":[{"id":"1","coreClientID":"` + asked + `"},{"id":"2","coreClientID":"ID"}]}`, func(ctx context.Context, c *qredo.Client) (any, error) {
		return c.CoreClients.ListActions(ctx, asked)
	}},
}

// A response about something else is refused, and the error says what it is about.
func TestAnswersAboutSomethingElse(t *testing.T) {
	for name, tc := range subjects {
		for _, id := range []string{other, strings.ToLower(asked)} { // in whose IDs capitals count
			_, err := tc.call(t.Context(), clienttest.NewClient(t, clienttest.AnswerWith(200, with(tc.answer, id))))
			e := clienttest.RequireError(t, err)
			require.ErrorIs(t, e, qredo.ErrBadAnswer, name)
			require.ErrorContains(t, err, "asked for "+asked+", the answer is about "+id, name)
		}
	}
}

// What was asked for is taken however the service writes its ID.
func TestAnswersAboutWhatWasAskedFor(t *testing.T) {
	for name, tc := range subjects {
		for _, id := range []string{asked, asked + ",", " " + asked + " "} {
			_, err := tc.call(t.Context(), clienttest.NewClient(t, clienttest.AnswerWith(200, with(tc.answer, id))))
			require.NoError(t, err, "%s with %q", name, id)
		}
	}
	for _, name := range []string{
		"Companies.Get", "TrustedNetwork.List", "Funds.ListLedger", "Funds.ListLedger of a wallet", "Wallets.ListHistory", "CoreClients.ListActions",
		"CoreClients.GetAction of a client",
	} {
		tc := subjects[name]
		_, err := tc.call(t.Context(), clienttest.NewClient(t, clienttest.AnswerWith(200, with(tc.answer, ""))))
		require.NoError(t, err, "%s: the contract does not say that the ID is there", name)
	}
}

// with puts an ID into an answer.
func with(answer, id string) string { return strings.Replace(answer, `"ID"`, `"`+id+`"`, 1) }

// A wallet is also found by its short code, in whatever form that is written. An ID and a short code cannot be compared;
// two short codes, and the entries of one list, can.
func TestAnswersAboutAShortCode(t *testing.T) {
	const code = "copper lantern valley"
	get := func(asked qredo.WalletID, answer string) error {
		_, err := clienttest.NewClient(t, clienttest.AnswerWith(200, answer)).Wallets.Get(t.Context(), asked)
		return err
	}
	for _, spelled := range []qredo.WalletID{code, "copper-lantern-valley", "Copper Lantern VALLEY"} {
		require.NoError(t, get(spelled, `{"wallet_id":"w","short_code":"copper lantern valley"}`))
		require.NoError(t, get(spelled, `{"wallet_id":"w","short_code":"Copper-Lantern-Valley"}`))
		require.NoError(t, get(spelled, `{"wallet_id":"w"}`))
		require.ErrorIs(t, get(spelled, `{"wallet_id":"w","short_code":"maple otter cloud"}`), qredo.ErrBadAnswer)
	}
	for _, id := range []qredo.WalletID{"wallet-1", "w 1"} { // an ID may have these characters elsewhere
		require.NoError(t, get(id, `{"wallet_id":"`+string(id)+`","short_code":"maple otter cloud"}`))
	}

	list := func(asked qredo.WalletID, ids ...string) (history, ledger error) {
		entries, moves := "", ""
		for _, id := range ids {
			entries += `,{"wallet_id":"` + id + `"}`
			moves += `,{"walletID":"` + id + `"}`
		}
		client := clienttest.NewClient(t, clienttest.AnswerWith(200, `{"history":[`+strings.TrimPrefix(entries, ",")+`],"List":[`+strings.TrimPrefix(moves, ",")+`]}`))
		_, history = client.Wallets.ListHistory(t.Context(), asked, qredo.HistoryOptions{})
		_, ledger = client.Funds.ListLedger(t.Context(), "c", "f", qredo.LedgerOptions{WalletID: asked})
		return history, ledger
	}
	for _, tc := range []struct {
		asked qredo.WalletID
		ids   []string
		good  bool
	}{
		{code, []string{"w1", "w1", ""}, true}, {code, []string{"w1", "w2"}, false}, {code, []string{"", "w1", "copper-lantern-valley"}, true},
		{code, []string{"maple otter cloud"}, false}, {"w1", []string{"w1", code, "w1"}, true}, {"w1", []string{code, "w2"}, false},
		{"wallet-1", []string{"wallet-1", "wallet-1"}, true}, {"wallet-1", []string{"wallet-2"}, false}, {"w1", nil, true},
	} {
		history, ledger := list(tc.asked, tc.ids...)
		for _, err := range []error{history, ledger} {
			if tc.good {
				require.NoError(t, err, "%q: %q", tc.asked, tc.ids)
			} else {
				require.ErrorIs(t, err, qredo.ErrBadAnswer, "%q: %q", tc.asked, tc.ids)
			}
		}
	}
}

// A transaction is found by the ID of an action that asks for its approval.
func TestAnswersAboutAnAction(t *testing.T) {
	for body, good := range map[string]bool{
		`{"txID":"t","status":[{"actionID":"x"},{"actionID":"a"}]}`: true, `{"txID":"t","status":[{"actionID":""},{"actionID":"b"}]}`: false,
	} {
		_, err := clienttest.NewClient(t, clienttest.AnswerWith(200, body)).Transfers.Get(t.Context(), "c", "a")
		require.Equal(t, good, err == nil, "%s: %v", body, err)
	}
	// An agent's other ID is its own in JSON, and that in hexadecimal.
	inner := hex.EncodeToString([]byte(`{"id":"agent","curve":"BLS381","created":1700000000}`))
	for id, good := range map[string]bool{inner: true, inner[:16]: false, "cafe": false} {
		_, err := clienttest.NewClient(t, clienttest.AnswerWith(200, `{"id":"a","clientID":"`+id+`"}`)).CoreClients.GetAction(t.Context(), "agent", "a")
		require.Equal(t, good, err == nil, "%s: %v", id, err)
	}
}

// An update whose answer is about another company may have been carried out.
func TestUpdateOfSomethingElse(t *testing.T) {
	tc := subjects["Companies.Update"]
	_, err := tc.call(t.Context(), clienttest.NewClient(t, clienttest.AnswerWith(200, with(tc.answer, other))))
	require.ErrorContains(t, err, "may have been carried out")
}
