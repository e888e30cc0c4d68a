package world

import (
	"slices"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

// Connection ties a wallet to a counterparty's core client, once that has approved it.
type Connection struct {
	CoreClientID qredo.CoreClientID
	ClientID     string       // what the counterparty knows the wallet's owner by
	Asked        *Transaction // the request to connect
}

// Status is how far the connection is.
func (c *Connection) Status() qredo.ConnectionStatus {
	switch c.Asked.Status {
	case qredo.TxApproved:
		return qredo.ConnectionConnected
	case qredo.TxCustodyRejected:
		return qredo.ConnectionRejected
	case qredo.TxExpired:
		return qredo.ConnectionExpired
	default:
		return qredo.ConnectionInitiated
	}
}

// connectLife is how long a counterparty has for approving a connection, as in the service's example: the
// request does not say.
const connectLife = time.Hour

// MultiCounterpartyOther is the number that the service's prose gives for multi-counterparty wallets, when one is
// made. Elsewhere it is that of vesting wallets.
const MultiCounterpartyOther = qredo.WalletVesting

func connectable(t qredo.WalletType) bool {
	return t == qredo.WalletDedicated || t == qredo.WalletMultiCounterparty || t == MultiCounterpartyOther
}

// Connection returns the wallet's tie to a core client, nil if there is none.
func (w *Wallet) Connection(id qredo.CoreClientID) *Connection {
	for _, c := range w.Connections {
		if c.CoreClientID == id {
			return c
		}
	}
	return nil
}

// DedicatedTo names the counterparty that approves whatever leaves a dedicated wallet.
func (w *Wallet) DedicatedTo() []string {
	if w.Type != qredo.WalletDedicated {
		return nil
	}
	var ids []string
	for _, c := range w.Connections {
		ids = append(ids, string(c.CoreClientID))
	}
	return ids
}

// Status is ready, but for a dedicated wallet whose counterparty has not approved the connection.
func (w *Wallet) Status() qredo.WalletStatus {
	if w.Type != qredo.WalletDedicated {
		return qredo.WalletReady
	}
	for _, c := range w.Connections {
		switch c.Status() {
		case qredo.ConnectionInitiated:
			return qredo.WalletPending
		case qredo.ConnectionRejected:
			return qredo.WalletRejected
		case qredo.ConnectionExpired:
			return qredo.WalletExpired
		case qredo.ConnectionConnected:
		}
	}
	return qredo.WalletReady
}

// Counterparty is an account at an exchange, or with another core client.
type Counterparty struct {
	CounterpartyID string `json:"counterparty_id"`
	ClientID       string `json:"client_id,omitzero"`
}

func (c Counterparty) coreClient() qredo.CoreClientID { return qredo.CoreClientID(c.CounterpartyID) }

// counterparties checks whom a new wallet is to be connected to, and returns each once.
func (u *Update) counterparties(asked NewWallet) ([]Counterparty, error) {
	if u.Choices.Strict && len(asked.Connect) > 0 && !connectable(asked.Type) {
		return nil, invalid("connect is for wallets of type 1, 2 and 3")
	}
	var accounts []Counterparty
	seen := map[string]bool{}
	for _, account := range asked.Connect {
		switch {
		case u.coreClients[qredo.CoreClientID(account.CounterpartyID)] == nil:
			return nil, invalid("counterparty %q is no exchange and no core client", account.CounterpartyID)
		case !seen[account.CounterpartyID]:
			seen[account.CounterpartyID] = true
			accounts = append(accounts, account)
		case u.Choices.Strict:
			return nil, invalid("counterparty %q is named twice", account.CounterpartyID)
		}
	}
	if asked.Type == qredo.WalletDedicated && len(accounts) != 1 {
		return nil, invalid("a dedicated wallet is connected to one counterparty")
	}
	return accounts, nil
}

// connect asks the counterparties of new wallets to approve the connections.
func (u *Update) connect(added walletsAdded) {
	for _, w := range added.Wallets {
		for _, account := range w.Connect {
			tx := transactionCreated{
				ID: qredo.TxID(u.ids.ksuid(u.Now)), Kind: KindConnect, From: w.ID, Asset: w.Asset,
				Expires: u.Now.Add(connectLife), CoreClient: qredo.CoreClientID(account.CounterpartyID),
			}
			u.askApproval(&tx, custody.Policy{Threshold: 1, Members: []string{account.CounterpartyID}})
			u.change(tx)
		}
	}
}

// Exchange is a counterparty that is on the list of exchanges.
type Exchange struct {
	ID      string               `json:"id"` // its core client's
	Name    string               `json:"name"`
	URL     string               `json:"url"`
	LogoURL string               `json:"logourl"`
	Client  qredo.ExchangeClient `json:"client,omitzero"`
}

// exchangeListed is a counterparty put on the list of exchanges: what the service's operators did.
type exchangeListed struct{ Exchange }

func (e exchangeListed) apply(st *state, _ time.Time) {
	st.exchanges = slices.DeleteFunc(st.exchanges, func(known exchangeListed) bool { return known.ID == e.ID })
	st.exchanges = append(st.exchanges, e)
}

// Exchanges is the list of exchanges.
func (st *state) Exchanges() []Exchange {
	list := make([]Exchange, len(st.exchanges))
	for i, e := range st.exchanges {
		list[i] = e.Exchange
	}
	return list
}

// ListExchange puts a core client on the list of exchanges that wallets can be connected to.
func (u *Update) ListExchange(exchange Exchange) error {
	if u.coreClients[qredo.CoreClientID(exchange.ID)] == nil {
		return notFound("core client")
	}
	if exchange.Name == "" {
		return invalid("name must not be empty")
	}
	u.change(exchangeListed{exchange})
	return nil
}
