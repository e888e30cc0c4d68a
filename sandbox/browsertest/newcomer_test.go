package browsertest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// A newcomer gets by the console alone from an empty sandbox to a withdrawal that two people have approved, and finds out
// why a request is refused.
func TestNewcomer(t *testing.T) {
	t.Parallel()
	srv := start(t)
	p := openConsole(t, srv, "#/phone")
	p.sees("Nobody is here yet")
	p.click("main a", "Make a person")
	for _, one := range [][3]string{{"alice@example.com", "Alice", "Adams"}, {"bob@example.com", "Bob", "Brown"}} {
		p.fill("#make-person-email", one[0])
		p.fill("#make-person-first_name", one[1])
		p.fill("#make-person-last_name", one[2])
		p.click("button", "Make the person")
		p.sees(one[0] + " has the app now.")
	}

	p.click("main a", "continue with a company")
	p.fill("#make-company-name", "Acme Exchange")
	p.fill("#make-company-domain", "acme.example")
	p.fill("#make-company-city", "Paris")
	p.fill("#make-company-country", "FR")
	p.fill("#make-company-ref", "acme-1")
	p.click("button", "Make the company")
	p.sees("Created: Acme Exchange")

	p.click("main a", "Let it trust those who approve")
	p.sees("Alice Adams", "Bob Brown")
	p.click("button", "Invite them, and let them accept")
	p.sees("Bob Brown", ": trusted.")

	p.click("main a", "Continue with a fund")
	p.fill("#make-fund-name", "Client assets")
	p.choose("#make-fund-asset", "BTC-TESTNET")
	p.click("button", "Make the fund")
	p.sees("Created: Client assets")

	p.click("main a", "Deposit something")
	p.fill("#make-deposit-amount", "1.5")
	p.sees("= 150,000,000 base units")
	p.click("main button.primary", "Deposit")
	p.sees("1.5 BTC-TESTNET came to Treasury")

	p.click("main a", "Whitelist an address")
	p.fill("#make-whitelist-address", payout)
	p.fill("#make-whitelist-name", "Cold storage")
	p.click("button", "Put it on the whitelist")
	p.sees("Can be paid now")

	p.click("main a", "Ask for a withdrawal")
	p.fill("#make-withdrawal-amount", "0.25")
	p.sees("= 25,000,000 base units")
	p.fill("#make-withdrawal-reference", "payout 2041")
	p.click("button", "Ask for the withdrawal")
	p.sees("The withdrawal waits for approval")

	p.goTo("#/phone/alice@example.com")
	p.sees("0.25 BTC-TESTNET", "25,000,000 base units", "Cold storage", "payout 2041", "0 of 2 have approved")
	p.click("button", "Approve")
	p.sees("This cannot be undone")
	p.click("button", "Approve 0.25 BTC-TESTNET: sure?")
	p.sees("Alice Adams approved it.")
	p.goTo("#/phone/bob@example.com")
	p.sees("1 of 2 has approved: Alice Adams")
	p.click("button", "Approve")
	p.click("button", "Approve 0.25 BTC-TESTNET: sure?")
	p.sees("Bob Brown approved it.")

	p.click("main a", "What became of it")
	p.sees("✓ approved", "2 of 2", "Its life")
	p.keep("newcomer-approved")
	state, err := srv.State()
	require.NoError(t, err)
	assert.Equal(t, map[qredo.AssetCode]sandbox.Totals{btc: {Deposited: 150_000_000, Balances: 124_975_000, Withdrawn: 25_000_000, Fees: 25_000}}, state.Totals)

	// A program of theirs is refused: the console tells why.
	assert.Equal(t, 401, send(t, srv.BaseURL()+"/company/search?query=Z%C3%BCrich", srv.BaseURL()+"/company/search?query=Z%c3%bcrich", srv))
	p.goTo("#/requests")
	p.click("a.row", "401")
	p.sees("Why it was refused", "What the sandbox verified", "What was probably signed")
	assert.Equal(t, []string{"C", "BC", "c", "bc"}, p.marked())
	p.keep("newcomer-refused")
}

// marked is what is marked as different, without what is told to screen readers.
func (p *tab) marked() []string {
	return eval[[]string](p, `[...document.querySelectorAll('mark')].map(m => [...m.childNodes].filter(n => n.nodeType === 3).map(n => n.data).join(''))`)
}
