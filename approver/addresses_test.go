package approver_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// A character whose small letter is one of an address makes another text of it, and so do capitals here and there in bech32. These
// were taken for the address that is listed.
func TestWhatOnlyLooksLikeAnAddressIsAnother(t *testing.T) {
	const listed = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"
	kelvin := strings.Replace(listed, "k", "\u212a", 1)
	require.NotEqual(t, listed, kelvin)
	for name, is := range map[string]string{
		"the sign of Kelvin": kelvin, "a long s": strings.Replace(listed, "s", "\u017f", 1), "one capital": strings.Replace(listed, "q", "Q", 1),
		"a capital prefix": "BC1" + listed[3:], "a small letter": "bc1" + strings.ToUpper(listed[3:]), "capitals and Kelvin": strings.Replace(strings.ToUpper(listed), "K", "\u212a", 1),
	} {
		for _, when := range []string{
			"recipient == %q", "%q == recipient", "recipient in [%q]", "recipient startsWith %q", "recipient endsWith %q", "recipient contains %q", "recipient matches %q",
			"lower(recipient) == %q", "trim(recipient) == %q",
		} {
			rules := rulesAt(t, rulesFile(fmt.Sprintf(when, listed)), at(noon))
			assert.Equal(t, approver.Leave, verdict(t, rules, newAction(withdrawal(is, ""))), "%s with %s", when, name)
			assert.Equal(t, approver.Approve, verdict(t, rules, newAction(withdrawal(listed, ""))), when)
		}
	}
	for _, when := range []string{`reference matches "^pay 0x52908400098527886e0f7030069857d2e4169ee7 ok$"`, `lower(reference) endsWith " ok"`, `upper(reference) endsWith " OK"`} {
		rules := rulesAt(t, rulesFile(when), at(noon))
		for word, want := range map[string]approver.Verdict{"ok": approver.Approve, "o\u212a": approver.Leave, "\u00f2k": approver.Leave} {
			a := newAction(func(a *qredo.Action) { a.Details.Reference = "pay 0X52908400098527886E0F7030069857D2E4169EE7 " + word })
			assert.Equal(t, want, verdict(t, rules, a), "%s of %s", when, word)
		}
	}
	// Nor do they share a counter, which would be another's.
	limited := rulesAt(t, strings.TrimSuffix(rulesFile("amount <= 5000"), "\n")+"\n    limits: [{per: recipient, window: 1h, max_count: 1}]\n", at(noon))
	counters := map[string]bool{}
	for _, is := range []string{listed, strings.ToUpper(listed), kelvin} {
		d, err := limited.Decide(plain(t), newAction(withdrawal(is, "")))
		require.NoError(t, err)
		counters[d.Spends[0].Counter] = true
	}
	assert.Len(t, counters, 2)
}

func TestAddressesInCapitalsHereAndThereAreRefused(t *testing.T) {
	for _, mixed := range []string{
		"bc1Qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",                     // BIP 173
		"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jJ0", // BIP 350
	} {
		for _, file := range []string{
			rulesFile(`recipient == "` + mixed + `"`), rulesFile(`recipient in ["` + mixed + `"]`),
			"lists: {ours: [" + mixed + "]}\n" + rulesFile("recipient in ours"),
		} {
			_, err := approver.ParseRules("rules.yaml", []byte(file))
			require.ErrorContains(t, err, "is not an address: bech32 addresses are all upper case or all lower case")
		}
	}
}

// A base58 address mixes cases, and one in some thousands looks like a bech32 address that does: its checksum tells.
func TestBase58AddressesMayLookLikeBech32(t *testing.T) {
	const address = "A1MhhvH2eJWdj9pkTCh7GgmMRRWs3kHStkT4LcsaxPKD"
	rules := rulesAt(t, "lists: {ours: ["+address+"]}\n"+rulesFile("recipient in ours"), at(noon))
	for is, want := range map[string]approver.Verdict{address: approver.Approve, strings.ToLower(address): approver.Leave} {
		assert.Equal(t, want, verdict(t, rules, newAction(withdrawal(is, ""))), is)
	}
	lower := rulesAt(t, rulesFile(`lower(recipient) endsWith "saxpkd"`), at(noon))
	assert.Equal(t, approver.Approve, verdict(t, lower, newAction(withdrawal(address, ""))))
}

// What is not there at all is an error, also as a pointer or a function that is nil.
func TestWhatIsNilIsRefused(t *testing.T) {
	d := newDesk(t)
	rules := rulesAt(t, rulesFile("amount <= 5000"), d.clock.Now)
	a, _ := d.startOne(rules)
	for name, policy := range map[string]approver.Policy{"nothing": nil, "rules": (*approver.Rules)(nil), "a function": approver.PolicyFunc(nil)} {
		_, err := approver.New(d.Client, d.Core, policy)
		requireInvalid(t, err, "approver")
		err = a.Reload(false, func() (approver.Policy, error) { return policy, nil })
		require.ErrorContains(t, err, "policy: must not be nil", name)
		assert.Contains(t, d.next(approver.EntryReload).Reason, "not reloaded", name)
	}
	require.Error(t, a.Reload(false, nil))
	for field, option := range map[string]approver.Option{
		"store": approver.WithStore((*approver.MemoryStore)(nil)), "coordinator": approver.WithCoordinator((*approver.MemoryStore)(nil)),
		"audit log": approver.WithAuditLog(nil), "logger": approver.WithLogger(nil), "observer": approver.WithObserver(nil), "clock": approver.WithClock(nil), "option": nil,
	} {
		_, err := approver.New(d.Client, d.Core, rules, option)
		requireInvalid(t, err, field)
	}
	_, err := approver.AcceptLoss(t.Context(), nil, d.store, "me")
	requireInvalid(t, err, "audit log")
	_, err = approver.ParseRules("rules.yaml", []byte(rulesFile("amount <= 5000")), nil)
	requireInvalid(t, err, "clock")

	d.transfer(5000, "")
	assert.Equal(t, approver.Approve, d.next(approver.EntryDecision).Verdict, "what was in force is")
	d.next(approver.EntryResult)
}
