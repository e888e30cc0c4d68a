package bench

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/bench/canned"
	"github.com/qredo-go/qredo/bench/generated"
)

const apiKey = "eyJrZXlfaWQiOiIxIiwia2V5IjoiMiIsInNhbmRib3giOnRydWV9"

var key = func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}()

// freeSigner signs at no cost, so that what else a call costs can be seen.
type freeSigner struct{ crypto.Signer }

var freeSignature = make([]byte, 256)

func (freeSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return freeSignature, nil
}

// caller makes the calls that are measured. Each client is one.
type caller interface {
	get(ctx context.Context) error
	post(ctx context.Context) error
	ledger(ctx context.Context) (entries int, err error)
	history(ctx context.Context) (entries int, err error)
}

// newHTTPClient is what all clients call through.
func newHTTPClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 128
	return &http.Client{Transport: transport}
}

// limit is the least that the job takes: net/http, crypto/rsa and encoding/json.
type limit struct {
	url    string
	signer crypto.Signer
	http   *http.Client
}

func (l limit) do(ctx context.Context, method, path string, body []byte, out any) error {
	url := l.url + path
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	h := sha256.New()
	h.Write([]byte(stamp))
	h.Write([]byte(url))
	h.Write(body)
	signature, err := l.signer.Sign(rand.Reader, h.Sum(nil), crypto.SHA256)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Api-Key", apiKey)
	req.Header.Set("X-Timestamp", stamp)
	req.Header.Set("X-Sign", base64.RawURLEncoding.EncodeToString(signature))
	resp, err := l.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return json.Unmarshal(data, out)
}

func (l limit) get(ctx context.Context) error {
	var wallet struct {
		ID      string `json:"wallet_id"`
		Balance int64  `json:"balance"`
	}
	return l.do(ctx, http.MethodGet, "/wallet/"+string(canned.WalletID), nil, &wallet)
}

func (l limit) post(ctx context.Context) error {
	type send struct {
		Symbol string `json:"symbol"`
		Amount int64  `json:"amount"`
	}
	body, err := json.Marshal(struct {
		WalletID     string `json:"wallet_id"`
		Counterparty string `json:"counterparty_wallet_address"`
		Partner      string `json:"partner_txID"`
		Expires      int64  `json:"expires"`
		Send         send   `json:"send"`
	}{string(canned.WalletID), "violet-tunnel-palace", "order-1", time.Now().Add(time.Hour).Unix(), send{"BTC-TESTNET", 40_000_000}})
	if err != nil {
		return err
	}
	var made struct {
		ID string `json:"tx_id"`
	}
	return l.do(ctx, http.MethodPost, "/company/"+string(canned.CompanyID)+"/transfer", body, &made)
}

func (l limit) ledger(ctx context.Context) (int, error) {
	var page struct {
		List []struct {
			TxID   string
			Amount int64 `json:"amount"`
		}
	}
	err := l.do(ctx, http.MethodGet, "/company/"+string(canned.CompanyID)+"/fund/"+string(canned.FundID)+"/ledger", nil, &page)
	return len(page.List), err
}

func (l limit) history(ctx context.Context) (int, error) {
	var answer struct {
		History []struct {
			ID     string `json:"tx_id"`
			Amount int64  `json:"amount"`
		} `json:"history"`
	}
	err := l.do(ctx, http.MethodGet, "/wallet/"+string(canned.WalletID)+"/history", nil, &answer)
	return len(answer.History), err
}

// generatedClient is what oapi-codegen makes of the OpenAPI document, with an editor that signs.
type generatedClient struct{ *generated.ClientWithResponses }

func newGenerated(b *testing.B, url string, signer crypto.Signer) generatedClient {
	b.Helper()
	auth := newAuth(b, signer)
	client, err := generated.NewClientWithResponses(url, generated.WithHTTPClient(newHTTPClient()),
		generated.WithRequestEditorFn(func(_ context.Context, req *http.Request) error {
			var body []byte
			if req.GetBody != nil {
				r, err := req.GetBody()
				if err != nil {
					return err
				}
				if body, err = io.ReadAll(r); err != nil {
					return err
				}
			}
			return auth.Authenticate(req, body, time.Now())
		}))
	if err != nil {
		b.Fatal(err)
	}
	return generatedClient{client}
}

func newAuth(b *testing.B, signer crypto.Signer) *qredo.RSAAuth {
	b.Helper()
	auth, err := qredo.NewRSAAuth(apiKey, signer)
	if err != nil {
		b.Fatal(err)
	}
	return auth
}

func (g generatedClient) get(ctx context.Context) error {
	resp, err := g.GetWalletWithResponse(ctx, generated.WalletId(canned.WalletID))
	if err == nil && resp.JSON200 == nil {
		err = fmt.Errorf("status %d", resp.StatusCode())
	}
	return err
}

func (g generatedClient) post(ctx context.Context) error {
	partner := "order-1"
	resp, err := g.CreateTransferWithResponse(ctx, generated.CompanyId(canned.CompanyID), generated.Transfer{
		WalletId: string(canned.WalletID), CounterpartyWalletAddress: "violet-tunnel-palace", PartnerTxID: &partner,
		Expires: time.Now().Add(time.Hour).Unix(), Send: generated.AssetAmount{Symbol: "BTC-TESTNET", Amount: 40_000_000},
	})
	if err == nil && resp.JSON200 == nil {
		err = fmt.Errorf("status %d", resp.StatusCode())
	}
	return err
}

func (g generatedClient) ledger(ctx context.Context) (int, error) {
	resp, err := g.ListLedgerWithResponse(ctx, generated.CompanyId(canned.CompanyID), generated.FundId(canned.FundID), nil)
	if err != nil {
		return 0, err
	}
	if resp.JSON200 == nil {
		return 0, fmt.Errorf("status %d", resp.StatusCode())
	}
	return len(resp.JSON200.List), nil
}

func (g generatedClient) history(ctx context.Context) (int, error) {
	resp, err := g.ListHistoryWithResponse(ctx, generated.WalletId(canned.WalletID), nil)
	if err != nil {
		return 0, err
	}
	if resp.JSON200 == nil {
		return 0, fmt.Errorf("status %d", resp.StatusCode())
	}
	return len(resp.JSON200.History), nil
}

// ours is this module's client.
type ours struct{ *qredo.Client }

func newOurs(b *testing.B, url string, signer crypto.Signer) ours {
	b.Helper()
	client, err := qredo.NewClient(newAuth(b, signer), qredo.WithBaseURL(url), qredo.WithHTTPClient(newHTTPClient()))
	if err != nil {
		b.Fatal(err)
	}
	return ours{client}
}

func (o ours) get(ctx context.Context) error {
	_, err := o.Wallets.Get(ctx, canned.WalletID)
	return err
}

func (o ours) post(ctx context.Context) error {
	_, err := o.Transfers.Create(ctx, canned.CompanyID, qredo.TransferRequest{
		WalletID: canned.WalletID, Counterparty: "violet-tunnel-palace", PartnerTxID: "order-1",
		Expires: qredo.TimeOf(time.Now().Add(time.Hour)), Send: qredo.AssetAmount{Asset: "BTC-TESTNET", Amount: 40_000_000},
	})
	return err
}

func (o ours) ledger(ctx context.Context) (int, error) {
	page, err := o.Funds.ListLedger(ctx, canned.CompanyID, canned.FundID, qredo.LedgerOptions{})
	if err != nil {
		return 0, err
	}
	return len(page.Entries), nil
}

func (o ours) history(ctx context.Context) (int, error) {
	entries, err := o.Wallets.ListHistory(ctx, canned.WalletID, qredo.HistoryOptions{})
	return len(entries), err
}

// callers are the clients under the names that the results have.
func callers(b *testing.B, url string, signer crypto.Signer) map[string]caller {
	b.Helper()
	return map[string]caller{
		"limit":     limit{url, signer, newHTTPClient()},
		"generated": newGenerated(b, url, signer),
		"qredo":     newOurs(b, url, signer),
	}
}
