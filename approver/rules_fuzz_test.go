package approver

import (
	"strings"
	"testing"
	"time"

	"github.com/qredo-go/qredo"
)

// Any text is a rule file or not, without a panic, and one that is decides about any action.
func FuzzRules(f *testing.F) {
	for _, when := range []string{
		`type == "ApproveWithdraw" && amount <= "0.5 BTC" || recipient in hot`, `time in "22:00".."06:00" and not (hour in 3..5)`,
		`let a = asset; a == "BTC"`, `fees * 3 - 2 % 5 > -1 && reference matches "^a" ? true : false`, `upper(trim(asset)) in ["\u0430"]`,
		`asset[0:1] == nil ?? "B" | lower() in {"a": 1}`, `all([1], {# > amount}); 5`, `value == 0x10 || 1 < chain < 1e3`, `lower(5) == lower()`, `- "a" in 5..`,
	} {
		f.Add("lists: {hot: [a, b]}\nrules:\n  - name: r\n    when: |\n      " + when + "\n    then: approve\n    limits: [{per: asset, window: 1h, max_amount: 1 BTC}]\n")
	}
	f.Add("rules:\n- {name: deep, then: reject, when: '" + strings.Repeat("(", 30_000) + "fees > 5" + strings.Repeat(")", 30_000) + "'}\n")
	f.Add("types: [ApproveA]\ndecimals: {A: 3}\nrules:\n- {name: &a b, *a : c, then: !!int 5}\n")
	f.Fuzz(func(t *testing.T, file string) {
		rules, err := ParseRules("rules.yaml", []byte(file))
		if err != nil {
			return
		}
		for _, of := range knownTypes {
			d := &qredo.ActionDetails{Asset: "BTC"}
			switch {
			case of == qredo.ActionExternalSign:
				d.ClientData = map[string]any{"value": "5"}
			case has(of, "amount"):
				d.Amount, d.NetAmount, d.Fees = 10, 9, 1
			}
			decision, err := rules.decideAt(ContextWithSweep(t.Context(), false), qredo.Action{Type: of, Details: d}, time.Unix(0, 0))
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range decision.Spends {
				if err := s.check(); err != nil || s.Amount < 0 {
					t.Fatal(s, err)
				}
			}
		}
	})
}
