// Package canned is a server whose answers are made beforehand, so that what is measured is the client.
package canned

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/qredo-go/qredo"
)

// The paths that the server answers, below its base URL.
const (
	WalletID  = qredo.WalletID("5zPpMpnHHfhEVPgjrgkmgMvbTBbQzVAXzVqZ7ZFoKk4u")
	CompanyID = qredo.CompanyID("1va2cJ2pqdLSFAN5t1knBrnuMvw")
	FundID    = qredo.FundID("1vCv6cOtLLOLJgpXzTeLsEVEZTC")
)

const basePath = "/api/v1/p"

// Server serves on the loopback.
type Server struct {
	URL    string // the base URL
	server *http.Server
}

// Start serves a wallet, transfers, and a ledger and a history with the given number of entries, all of one wallet.
func Start(entries int) (*Server, error) { return start(entries, Page) }

// StartWallets serves a ledger whose entries are of 58 wallets by turns.
func StartWallets(entries int) (*Server, error) {
	last := len(WalletID) - 1
	return start(entries, func(offset, n, total int) []byte {
		page := Page(offset, n, total)
		rest := page
		for i := range n {
			at := bytes.Index(rest, []byte(WalletID))
			rest[at+last] = base58[(offset+i)%len(base58)]
			rest = rest[at+last:]
		}
		return page
	})
}

const base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

func start(entries int, page func(offset, n, total int) []byte) (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+basePath+"/wallet/{id}", answer(wallet))
	history := sync.OnceValue(func() http.Handler { return answer(History(entries)) }) // built on the first request
	mux.HandleFunc("GET "+basePath+"/wallet/{id}/history", func(w http.ResponseWriter, r *http.Request) { history().ServeHTTP(w, r) })
	mux.Handle("POST "+basePath+"/company/{id}/transfer", answer([]byte(`{"tx_id":"1vZ4vXxVyXzzmVBzTQJSZUZAUYO","status":"new"}`)))
	mux.HandleFunc("GET "+basePath+"/company/{id}/fund/{fund}/ledger", func(w http.ResponseWriter, r *http.Request) {
		offset, _ := strconv.Atoi(r.URL.Query().Get("offset")) // 0 if it is absent
		limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
		if err != nil {
			limit = entries
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(page(offset, max(0, min(limit, entries-offset)), entries))
	})
	s := &Server{URL: "http://" + listener.Addr().String() + basePath, server: &http.Server{Handler: mux}}
	go func() { _ = s.server.Serve(listener) }() // ends with Close
	return s, nil
}

// Close ends the server.
func (s *Server) Close() error { return s.server.Close() }

func answer(body []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})
}

var wallet = []byte(`{"wallet_id":"` + string(WalletID) + `","name":"Treasury","asset":"BTC-TESTNET","type":0,"status":"ready",` +
	`"address":"mhc4NvYwJAFzbKQCyfpAhVGGpZGRv9wUcs","address_type":"p2pkh","short_code":"violet tunnel palace","balance":150000000,` +
	`"custodygroup_withdraw":"1vCv6hEKk1X2Bm4ZTd9NZUyYwXC","custodygroup_tx":"1vCv6dT6q9hZoEKDxNRS0pUyPLT",` +
	`"policy_withdraw":` + policy + `,"policy_tx":` + policy + `}`)

const policy = `{"id":"1vCv6hEKk1X2Bm4ZTd9NZUyYwXC","name":"Client assets","threshold":2,"members":[` + member + `,` + member + `]}`

const member = `{"dedicated":false,"entity":{"id":"7wjHwFx1Z3YRZZMkNX9B9jqyD2Q1nQdeCjs1uFZ4Efar","name":"Alice Doe",` +
	`"accountCode":"7wjHwFx1Z3YRZZMkNX9B9jqyD2Q1nQdeCjs1uFZ4Efar","initials":"AD","type":"user",` +
	`"user":{"firstName":"Alice","lastName":"Doe","email":"alice@example.com","username":"alice"}}}`

const placeholder = "0000000000000000000000000"

var entry = `{"TxID":"1v` + placeholder + `","type":"transferOut","status":"approved","asset":"BTC-TESTNET","amount":40000000,` +
	`"netAmount":39960000,"fees":40000,"fundID":"` + string(FundID) + `","walletID":"` + string(WalletID) + `","address":"",` +
	`"counterpartyID":"` + string(CompanyID) + `","counterpartyName":"Acme Exchange","reference":"invoice 4711",` +
	`"benefitOf":"John Smith","accountNo":"123-703-112","chainTxID":"","timestamp":1644500739,"expireTime":1644587139}`

const newest = 1644500739 // the time of the first entry

// Page is a page of a ledger: a number of entries from an offset on, each with an ID of its own and a second older than
// the one before.
func Page(offset, n, total int) []byte {
	var b bytes.Buffer
	b.Grow(n*(len(entry)+1) + 64)
	b.WriteString(`{"List":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		before, after, _ := strings.Cut(entry, placeholder)
		after, end, _ := strings.Cut(after, strconv.Itoa(newest))
		b.WriteString(before)
		fmt.Fprintf(&b, "%0*d", len(placeholder), offset+i)
		b.WriteString(after)
		b.WriteString(strconv.Itoa(newest - offset - i))
		b.WriteString(end)
	}
	fmt.Fprintf(&b, `],"Total":%d}`, total)
	return b.Bytes()
}

// History is the history of a wallet: a number of movements, each with IDs of its own and a second older than the one
// before.
func History(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"history":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"wallet_id":%q,"tx_id":"1v%025d","chain_tx_id":"%064x","asset":"BTC-TESTNET","amount":-40000000,"fee":-40000,"net_amount":-39960000,"timestamp":%d}`,
			WalletID, i, i, newest-i)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}
