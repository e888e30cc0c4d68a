package sandbox

import (
	"slices"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

// connection ties a wallet to a counterparty's core client, once that has approved it.
type connection struct {
	CoreClientID qredo.CoreClientID
	ClientID     string       // what the counterparty knows the wallet's owner by
	tx           *transaction // the request to connect
}

func (c *connection) status() qredo.ConnectionStatus {
	switch c.tx.status {
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

// walletMultiOther is the number that the service's prose gives for multi-counterparty wallets, when one is
// made. Elsewhere it is that of vesting wallets.
const walletMultiOther = qredo.WalletVesting

func connectable(t qredo.WalletType) bool {
	return t == qredo.WalletDedicated || t == qredo.WalletMultiCounterparty || t == walletMultiOther
}

func (w *wallet) connection(id qredo.CoreClientID) *connection {
	for _, c := range w.connections {
		if c.CoreClientID == id {
			return c
		}
	}
	return nil
}

// dedicatedTo names the counterparty that approves whatever leaves a dedicated wallet.
func (w *wallet) dedicatedTo() []string {
	if w.Type != qredo.WalletDedicated {
		return nil
	}
	var ids []string
	for _, c := range w.connections {
		ids = append(ids, string(c.CoreClientID))
	}
	return ids
}

// status is ready, but for a dedicated wallet whose counterparty has not approved the connection.
func (w *wallet) status() qredo.WalletStatus {
	if w.Type != qredo.WalletDedicated {
		return qredo.WalletReady
	}
	for _, c := range w.connections {
		switch c.status() {
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

// counterparties checks whom a new wallet is to be connected to, and returns each once.
func (r *request) counterparties(req qredo.WalletRequest) ([]qredo.ConnectRequest, error) {
	if r.choices.strict && len(req.Connect) > 0 && !connectable(req.Type) {
		return nil, badRequest("connect is for wallets of type 1, 2 and 3")
	}
	var accounts []qredo.ConnectRequest
	seen := map[string]bool{}
	for _, account := range req.Connect {
		switch {
		case r.st.coreClients[qredo.CoreClientID(account.CounterpartyID)] == nil:
			return nil, badRequest("counterparty %q is no exchange and no core client", account.CounterpartyID)
		case !seen[account.CounterpartyID]:
			seen[account.CounterpartyID] = true
			accounts = append(accounts, account)
		case r.choices.strict:
			return nil, badRequest("counterparty %q is named twice", account.CounterpartyID)
		}
	}
	if req.Type == qredo.WalletDedicated && len(accounts) != 1 {
		return nil, badRequest("a dedicated wallet is connected to one counterparty")
	}
	return accounts, nil
}

// connect asks the counterparties of new wallets to approve the connections.
func (r *request) connect(added walletsAdded) {
	for _, w := range added.Wallets {
		for _, account := range w.Connect {
			tx := transactionCreated{
				ID: qredo.TxID(r.ids.ksuid(r.now)), Kind: kindConnect, From: w.ID, Asset: w.Asset,
				Expires: r.now.Add(connectLife), CoreClient: qredo.CoreClientID(account.CounterpartyID),
			}
			r.askApproval(&tx, custody.Policy{Threshold: 1, Members: []string{account.CounterpartyID}})
			r.change(tx)
		}
	}
}

// exchangeListed is a counterparty put on the list of exchanges: what the service's operators did.
type exchangeListed struct{ qredo.Exchange }

func (e exchangeListed) apply(st *state, _ time.Time) {
	st.exchanges = slices.DeleteFunc(st.exchanges, func(known exchangeListed) bool { return known.ID == e.ID })
	st.exchanges = append(st.exchanges, e)
}

func listExchanges(r *request) (any, error) {
	list := make([]qredo.Exchange, len(r.st.exchanges))
	for i, e := range r.st.exchanges {
		list[i] = e.Exchange
	}
	return map[string]any{"exchanges": list}, nil
}

// ListExchange puts a core client on the list of exchanges that wallets can be connected to. The
// exchange's ID is the core client's.
func (s *Sandbox) ListExchange(exchange qredo.Exchange) error {
	return s.update(func(st *state, _ time.Time) ([]change, error) {
		if st.coreClients[qredo.CoreClientID(exchange.ID)] == nil {
			return nil, notFound("core client")
		}
		if exchange.Name == "" {
			return nil, badRequest("name must not be empty")
		}
		return []change{exchangeListed{exchange}}, nil
	})
}
