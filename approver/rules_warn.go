package approver

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/qredo-go/qredo"
)

// mayBeEmpty lists the facts that the service leaves empty although a rule may expect a value, and when.
var mayBeEmpty = []struct {
	fact, when string
	of         []qredo.ActionType // "" means for all
}{
	{"company", "company is empty for withdrawals", []qredo.ActionType{qredo.ActionWithdraw}},
	{"initiator", "initiator is empty in the service's examples", nil},
	{"initiator_name", "initiator_name is empty in the service's examples", nil},
}

// chosen says who chooses a text that identifies nobody.
var chosen = []struct{ fact, by string }{
	{"recipient_name", "the other side chooses recipient_name"},
	{"whitelist_name", "whoever put the address on the whitelist has chosen whitelist_name"},
	{"reference", "whoever asks for the payment chooses reference"},
	{"benefit_of", "whoever asks for the payment chooses benefit_of"},
}

// review checks a rule as a whole: a rule that can never do what it says is an error.
func (r *rule) review() (warnings []string, err error) {
	never, always := r.condition.faults()
	if len(never) > 0 {
		return nil, fmt.Errorf("%s can never hold", never[0])
	}
	if r.verdict == Approve && r.condition.never(true, r.types) {
		return nil, fmt.Errorf("the rule can never match: one that approves must name the type of an action, unless that is a transfer or " +
			"a withdrawal, and matches only what has an amount if it compares amounts or has limits")
	}
	for _, c := range always {
		warnings = append(warnings, fmt.Sprintf("%s always holds", c))
	}
	if _, few := r.condition.ways(true); !few {
		warnings = append(warnings, "the expression has too many alternatives to be checked for what can never hold: make it two rules")
	}
	r.condition.each(func(c *comparison) {
		if c.pattern != nil && matchesAll(c.fact, c.pattern) {
			warnings = append(warnings, fmt.Sprintf("the pattern in %s matches all that can come", c.text))
		}
	})
	warnings = append(warnings, r.emptiness()...)
	if r.verdict == Approve {
		warnings = append(warnings, r.trust()...)
	}
	return warnings, nil
}

// emptiness describes a rule that does not do what it seems to when a fact is empty: it matches because of that, or does
// not match.
func (r *rule) emptiness() (warnings []string) {
	for _, may := range mayBeEmpty {
		if may.of != nil && !r.canMatch(may.of...) {
			continue
		}
		asks, matches := false, false
		r.condition.each(func(c *comparison) {
			if !slices.Contains(c.uses, may.fact) {
				return
			}
			others := slices.ContainsFunc(c.uses, func(fact string) bool { return fact != may.fact })
			asks, matches = true, matches || others || c.state(facts{may.fact: ""}) == yes
		})
		problem := "the rule does not match then, and approves nothing"
		switch {
		case !asks:
			continue
		case matches:
			problem = "the rule may match for that: say with == what it must be"
		case r.verdict != Approve:
			problem = "the rule does not match then, and stops nothing: say what it must be in the rules that approve"
		}
		warnings = append(warnings, may.when+"; "+problem)
	}
	return warnings
}

// canMatch reports whether a rule can match an action of one of some types.
func (r *rule) canMatch(types ...qredo.ActionType) bool {
	ways, few := r.condition.ways(true)
	return !few || slices.ContainsFunc(ways, func(w way) bool {
		among := anyType(w)
		if r.verdict == Approve {
			among = r.types(w)
		}
		return slices.ContainsFunc(w.types(among), func(t qredo.ActionType) bool { return slices.Contains(types, t) })
	})
}

// canSweep reports whether an approving rule can match a sweep.
func (r *rule) canSweep() bool {
	ways, few := r.condition.ways(true)
	return !few && r.condition.asks("sweep") || slices.ContainsFunc(ways, func(w way) bool { return slices.ContainsFunc(w, (*comparison).namesSweep) })
}

// samples are typical values of the facts that identify something: addresses and IDs.
var samples = []string{
	"0x52908400098527886E0F7030069857D2E4169EE7", "0xde709f2102306220921060314715629080e2fb77", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
	"tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
	"EHMAbGLwmZ4agsqcSDmvrgsS2uPPsgoN5grrNU8sQTdP", "9zY9Nxqv8gf4nEEL9AX92tt16kQoJVNSrbodraCBsv2R", "2A1mMPwr3JTGhlYcNcWbhTJaiq5",
}

// matchesAll reports whether a pattern matches every value of a fact, as far as samples show.
func matchesAll(fact string, pattern *regexp.Regexp) bool {
	texts := samples
	switch fact {
	case "recipient", "wallet", "fund", "company", "initiator":
	case "asset":
		texts = []string{"BTC", "ETH-TESTNET", "USDC", "dai", "1INCH"}
	case "type":
		texts = []string{string(qredo.ActionTransfer), string(qredo.ActionExternalSign), "ApproveSomethingElse"}
	case "method", "data":
		texts = []string{"0xa9059cbb", "0x095ea7b3", "0x00"}
	case "weekday":
		texts = words["weekday"]
	default:
		texts = append([]string{"a", "Z", "7", "\u00fc", "?!", "invoice 17, Jane"}, samples...)
	}
	return !slices.ContainsFunc(texts, func(text string) bool { return !pattern.MatchString(text) })
}

// whoseFacts are the facts by which a rule says whose money it is about.
var whoseFacts = []string{"wallet", "fund", "company"}

// ours reports whether an approving rule names certain wallets, funds or companies in every alternative.
func (r *rule) ours() bool {
	ways, few := r.condition.ways(true)
	if !few {
		return r.condition.asks(whoseFacts...)
	}
	return !slices.ContainsFunc(ways, func(w way) bool {
		// A wallet that asks to be connected belongs to another party, and is not known before.
		types := slices.DeleteFunc(w.types(r.types(w)), func(t qredo.ActionType) bool { return t == qredo.ActionWalletConnect })
		return len(types) > 0 && !slices.ContainsFunc(w, func(c *comparison) bool {
			return !c.negated && slices.ContainsFunc(c.uses, func(fact string) bool { return slices.Contains(whoseFacts, fact) })
		})
	})
}

// trust lists what an approving rule relies on, or does not check.
func (r *rule) trust() (warnings []string) {
	if !r.condition.asks("recipient", "whitelisted") {
		for _, text := range chosen {
			if r.condition.asks(text.fact) {
				warnings = append(warnings, text.by+": say with recipient who may be paid")
			}
		}
	}
	if uncounted := slices.ContainsFunc(r.limits, func(m limit) bool { return m.maxAmount > 0 && m.asset == "" }); !r.condition.asks("asset") &&
		(uncounted || r.condition.asks("amount", "net_amount")) {
		warnings = append(warnings, "an amount is compared whatever its asset: say the asset, or an amount such as \"0.5 BTC\"")
	}
	if r.canMatch(swaps...) && (!r.condition.asks("receive_asset") || !r.condition.asks("receive_amount")) {
		warnings = append(warnings, "the rule approves swaps at any price: compare receive_asset and receive_amount")
	}
	if r.canSweep() {
		for _, fact := range []string{"wallet", "recipient"} {
			if !r.condition.asks(fact) {
				warnings = append(warnings, fmt.Sprintf("the rule approves sweeps, which nobody else approves, whatever their %s: compare it", fact))
			}
		}
	}
	if r.canMatch(qredo.ActionExternalSign) {
		var unseen []string
		for _, facts := range [][]string{{"value"}, {"gas"}, {"chain"}, {"recipient"}, {"method", "data"}} {
			if !r.condition.asks(facts...) {
				unseen = append(unseen, facts[0])
			}
		}
		if len(unseen) > 0 {
			warnings = append(warnings, "the rule approves Web3 payments of any "+strings.Join(unseen, ", of any ")+": compare it")
		}
	}
	if r.condition.everything() {
		warnings = append(warnings, "the rule approves every transfer and withdrawal: say which")
	}
	if !r.ours() {
		uses := ""
		if len(r.limits) > 0 {
			uses = ", and use up its limits"
		}
		warnings = append(warnings, "whoever knows the core client's ID can have it approve for a wallet of their own"+uses+": say the wallet, fund or company with == or in")
	}
	return warnings
}
