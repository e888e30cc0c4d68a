package world

import (
	"sync"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

// Event is something that happened, as it is told to people. What it is not about is empty.
type Event struct {
	At      time.Time
	Type    string
	Company qredo.CompanyID
	Fund    qredo.FundID
	Wallet  qredo.WalletID
	Tx      qredo.TxID
	Action  qredo.ActionID
	Status  qredo.TxStatus // of the transaction
	By      string         // who did it: the ID of a user, a core client, or of an API key
}

// Changes are what happened since they were told last.
type Changes struct {
	Accounts map[string]bool // whose feeds have more to tell
	Events   []Event         // oldest first
}

// news gathers what is to be told.
type news struct {
	mu      sync.Mutex
	changes Changes
}

// touch notes that the feeds of an account have more to tell.
func (st *state) touch(account string) {
	if st.touched == nil {
		st.touched = map[string]bool{}
	}
	st.touched[account] = true
}

// add gathers what changes have done, once they have taken effect.
func (n *news) add(st *state, at time.Time, changes []change) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range changes {
		n.changes.Events = st.tell(n.changes.Events, at, c)
	}
	if n.changes.Accounts == nil {
		n.changes.Accounts, st.touched = st.touched, nil
		return
	}
	for account := range st.touched {
		n.changes.Accounts[account] = true
	}
	clear(st.touched)
}

// take returns what was gathered, and forgets it.
func (n *news) take() Changes {
	n.mu.Lock()
	defer n.mu.Unlock()
	taken := n.changes
	n.changes = Changes{}
	return taken
}

// tell appends what a change is told as.
func (st *state) tell(events []Event, at time.Time, c change) []Event {
	e := Event{At: at}
	switch c := c.(type) {
	case addressWhitelisted:
		e.Type, e.Fund = "address_whitelisted", c.FundID
		e.Company = st.funds[c.FundID].Company.ID
	case agentFinished:
		e.Type, e.By = "agent_registered", string(c.ID)
	case chainRefusing:
		e = st.about(e, "chain_refuses", c.TxID)
	case clockAdvanced:
		e.Type = "clock_advanced"
	case companyCreated:
		e.Type, e.Company = "company_created", c.ID
	case companyUpdated:
		e.Type, e.Company = "company_updated", c.ID
	case coreClientCreated:
		e.Type, e.By = "core_client_created", string(c.ID)
	case exchangeListed:
		e.Type, e.By = "exchange_listed", c.ID
	case fundCreated:
		e.Type, e.Company, e.Fund = "fund_created", c.CompanyID, c.ID
	case masterDrawn:
		return events
	case partyAccepted:
		e.Type, e.Company, e.By = "party_accepted", c.CompanyID, string(c.PartyID)
	case partyAdded:
		e.Type, e.Company = "party_added", c.CompanyID
	case partyRemoved:
		e.Type, e.Company = "party_removed", c.CompanyID
	case swapListed:
		e = st.about(e, "swap_listed", c.TxID)
	case swapOffered:
		e = st.about(e, "swap_offered", c.TxID)
	case swapSettled:
		take := st.txByID(c.Take)
		events = append(events, st.about(e, "transaction_ended", take.OtherSide.ID))
		e = st.about(e, "transaction_ended", c.Take)
	case transactionCreated:
		e = st.about(e, "transaction_created", c.ID)
		if e.By = c.APIKey; c.Kind == KindDeposit {
			e.Type = "deposit"
		}
	case transactionEnded:
		e = st.about(e, "transaction_ended", c.TxID)
	case transferAuthorized:
		e = st.about(e, "transaction_authorized", c.TxID)
	case userCreated:
		e.Type, e.By = "user_created", string(c.ID)
	case voted:
		a := st.Action(c.ActionID)
		e = st.about(e, "approved", a.Tx.ID)
		if e.Action, e.By = c.ActionID, a.Vote().Member; c.Choice == custody.Reject {
			e.Type = "rejected"
		}
	case walletsAdded:
		e.Type, e.Fund, e.Company = "wallet_created", c.FundID, st.funds[c.FundID].Company.ID
		for _, w := range c.Wallets {
			e.Wallet = w.ID
			events = append(events, e)
		}
		return events
	case web3Signed:
		e = st.about(e, "transaction_signed", c.TxID)
	}
	return append(events, e)
}

// about is an event about a transaction.
func (st *state) about(e Event, kind string, id qredo.TxID) Event {
	tx := st.txByID(id)
	e.Type, e.Tx, e.Status = kind, id, tx.Status
	wallet := tx.Sender
	if wallet == nil {
		wallet = tx.Recipient
	}
	e.Wallet, e.Fund, e.Company = wallet.ID, wallet.Fund.ID, wallet.Fund.Company.ID
	return e
}
