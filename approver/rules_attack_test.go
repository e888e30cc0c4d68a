package approver_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// What follows was approved, or loaded, by commit 4e8818f, which said: "approve payouts" of the blocked payee in other
// capitals; "leave" at any hour; "approve only" of the Web3 payment, of a wallet that asks to be connected, of a type to come,
// of the swap, of a net amount that is not given, by a rule that nobody sees (U+2028, CR), by let, by a fact compared with itself,
// and by the name that the other side chooses; "leave" of what is blocked by a text with a character that is not seen; "memory budget
// exceeded" for the range of amounts; and it loaded the file of mode 0666.

func of(asset qredo.AssetCode) func(*qredo.Action) {
	return func(a *qredo.Action) { a.Details.Asset = asset }
}

// ether is a payment of 1000 ETH that is to be signed. It has no amount that the service counts.
func ether(a *qredo.Action) {
	a.Type = qredo.ActionExternalSign
	a.Details = &qredo.ActionDetails{
		TxID: "tx-1", Asset: "ETH-TESTNET", WalletID: "wallet-1", RecipientAddress: "0x52908400098527886E0F7030069857D2E4169EE7",
		ClientData: map[string]any{"value": "1000000000000000000000", "chainID": "1", "data": "0xA9059CBB00"},
	}
}

// swap sends 9 BTC, and receives an amount of ETH.
func swap(receive qredo.Amount) func(*qredo.Action) {
	return func(a *qredo.Action) {
		amount(900_000_000)(a)
		kind(qredo.ActionSwap)(a)
		a.Details.Receive = &qredo.AssetAmount{Asset: "ETH", Amount: receive}
	}
}

// verdict is what the rules of a file decide about an action.
func verdict(t *testing.T, rules *approver.Rules, a qredo.Action) approver.Verdict {
	t.Helper()
	d, err := rules.Decide(plain(t), a)
	require.NoError(t, err)
	return d.Verdict
}

// Commit 4e8818f approved the blocked payee in two of three cases, and three payments more than the limit of one: the last
// column of the table.
func TestCapitalsOfAddressesDoNotCount(t *testing.T) {
	rules, err := approver.LoadRules(filepath.Join("testdata", "rules", "capitals.yaml"), approver.WithClock(at(noon)))
	require.NoError(t, err)
	table, err := os.ReadFile(filepath.Join("testdata", "rules", "capitals.tsv"))
	require.NoError(t, err)
	store := approver.NewMemoryStore(approver.WithClock(at(noon)))
	lines := strings.Split(strings.TrimSpace(string(table)), "\n")[1:]
	require.Len(t, lines, 8)
	for i, line := range lines {
		columns := strings.Split(line, "\t")
		address, _, _ := strings.Cut(columns[0], " ")
		name, want, _ := strings.Cut(columns[1], ": ")
		d, err := rules.Decide(plain(t), newAction(withdrawal(address, "payee")))
		require.NoError(t, err)
		assert.Equal(t, name, d.Rule, line)
		_, err = store.Reserve(t.Context(), approver.Record{ActionID: qredo.ActionID(fmt.Sprint(i)), Verdict: d.Verdict}, d.Spends)
		if strings.HasPrefix(want, "over the limit") {
			require.ErrorAs(t, err, new(*approver.OverLimitError), line)
			continue
		}
		require.NoError(t, err, line)
		assert.Equal(t, want, string(d.Verdict), line)
	}
}

// Each form of comparison takes an address for one, however it is written, and others texts exactly.
func TestFormsOfAddresses(t *testing.T) {
	const low, mixed, high = "0x52908400098527886e0f7030069857d2e4169ee7", "0x52908400098527886E0F7030069857D2E4169EE7", "0X52908400098527886E0F7030069857D2E4169EE7"
	const bech, bechHigh = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "BC1QAR0SRRR7XFKVY5L643LYDNW9RE59GTZZWF5MDQ"
	for _, forms := range [][]string{{low, mixed, high}, {bech, bechHigh}} {
		for _, is := range forms {
			for _, written := range forms {
				for _, when := range []string{
					"recipient == %q", "%q == recipient", "recipient in [%q]", "recipient startsWith %q", "recipient endsWith %q",
					"recipient contains %q", "recipient matches %q", "lower(recipient) == %q", "upper(recipient) in [%q]", "trim(recipient) == %q",
				} {
					rules := rulesAt(t, rulesFile(fmt.Sprintf(when, written)), at(noon))
					assert.Equal(t, approver.Approve, verdict(t, rules, newAction(withdrawal(is, ""))), when+" of "+is+" with "+written)
				}
				for _, when := range []string{"recipient != %q", "recipient not in [%q]", "not (recipient startsWith %q)"} {
					rules := rulesAt(t, rulesFile(fmt.Sprintf(when, written)), at(noon))
					assert.Equal(t, approver.Leave, verdict(t, rules, newAction(withdrawal(is, ""))), when+" of "+is+" with "+written)
				}
			}
		}
	}
	for when, want := range map[string]approver.Verdict{
		`recipient startsWith "0x52908400098527886e"`: approver.Approve, `recipient matches "^0x5290.*ee7$"`: approver.Approve,
		`reference contains "0x52908400098527886e0f7030069857d2e4169ee7"`: approver.Approve, `reference contains "PAY"`: approver.Leave,
		`whitelist_name == "payee"`: approver.Leave,
	} {
		a := newAction(withdrawal(mixed, "Payee"), func(a *qredo.Action) { a.Details.Reference = "pay " + high })
		assert.Equal(t, want, verdict(t, rulesAt(t, rulesFile(when), at(noon)), a), when)
	}
	lists := "lists: {blocked: [" + low + "]}\nrules:\n  - {name: r, when: recipient in blocked, then: reject}\n"
	assert.Equal(t, approver.Reject, verdict(t, rulesAt(t, strings.Replace(lists, low, `"`+mixed+`"`, 1), at(noon)), newAction(withdrawal(low, ""))))
}

// Commit 4e8818f loaded hours.yaml, and its rule for the night was never true.
func TestRulesThatCanNeverHoldAreRefused(t *testing.T) {
	_, err := approver.LoadRules(filepath.Join("testdata", "rules", "hours.yaml"), approver.WithClock(at(noon)))
	var e *approver.RuleError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, 3, e.Line)
	assert.Contains(t, e.Problem, `for a time over midnight write time in "22:00".."06:00"`)

	for _, when := range []string{
		"hour > 22 && hour < 6", "hour >= 24", "hour < 0", "minute == 60", "hour in 24..30", "hour in [24]", "hour == 7 && time > \"08:00\"",
		"hour * 60 + minute > 1439", `time < "00:00"`, `time in "22:00".."23:00" && hour < 20`, `weekday == "Monday" && weekday == "Tuesday"`,
		`weekday in ["Monday"] && weekday not in ["Monday", "Sunday"]`, "amount > 5 && amount < 3", "amount > 5 && amount < 6", "amount < 1", "amount == -5", "fees < 0",
		"amount in [1, 2] && amount == 3", "amount > 5 && not (amount > 5)", `asset == "BTC" && asset == "ETH"`, `asset == "BTC" && lower(asset) != "x" && not (asset startsWith "B")`,
		`asset in ["BTC"] && asset != "BTC"`, `amount <= "1 BTC" && asset == "ETH"`, `amount <= "1 BTC" && fees <= "1 ETH"`,
		`type == "ApproveSwap" && type == "ApproveTransfer"`, `type == "ApproveSwap" && recipient == "OUR_ETH"`, `type in ["ApproveSwap", "ApproveSwapTake"] && recipient_name == "us"`,
		`type == "ApproveTransfer" && receive_amount > 5`, `type == "ApproveWithdraw" && value > 5`, `type == "ApproveExternalSign" && amount < 5`,
		"amount < 5 && value < 5", `receive_asset == "BTC" && chain == 1`, `asset == "BTC" && (hour > 25 || amount < 3)`, `value <= "1 ETH" && chain == 137`,
		"whitelisted && not whitelisted", `recipient startsWith "a" && not (recipient startsWith "a")`,
		`recipient == "0x52908400098527886e0f7030069857d2e4169ee7" && recipient != "0x52908400098527886E0F7030069857D2E4169EE7"`,
	} {
		for _, then := range []string{"approve", "reject", "leave"} {
			_, err := approver.ParseRules("rules.yaml", fmt.Appendf(nil, "rules:\n  - name: r\n    when: %q\n    then: %s\n", when, then))
			require.ErrorContains(t, err, "can never hold", when)
		}
	}
	_, err = approver.ParseRules("rules.yaml", []byte("rules:\n  - {name: a, when: 'true', then: leave}\n  - {name: b, when: amount > 5, then: reject}\n"))
	require.ErrorContains(t, err, `rules.yaml:3: rule "b": rule "a" in line 2 matches everything: this one never decides`)
}

func TestConditionsThatAlwaysHoldAreWarnedOf(t *testing.T) {
	for when, always := range map[string]string{
		"hour < 24 && fees > 5": "hour < 24", "amount > 0": "amount > 0", "fees >= 0 && fees < 9": "fees >= 0",
		`asset != "BTC" || asset != "ETH"`: `not (asset == "BTC") || not (asset == "ETH")`, "minute in 0..59": "minute in 0..59",
		`type != "ApproveSwap" || type != "ApproveTransfer"`: "not (type ==", "hour >= 6 || hour < 7": "hour >= 6 || hour < 7", "not (hour > 23)": "not (hour > 23)",
	} {
		found := strings.Join(warned(t, when, approver.Leave), "\n")
		assert.Contains(t, found, always, when)
		assert.Contains(t, found, "always holds", when)
	}
	for _, when := range []string{
		"hour < 23", "amount > 1", "fees > 0", `asset != "BTC"`, "minute in 0..58", `asset == "BTC" || asset == "ETH"`, "hour > 5 || hour < 4", `type != "ApproveSwap"`,
		`time in "22:00".."06:00" && hour in 0..5`, `time in "22:00".."06:00" && time in "23:00".."07:00"`, `recipient == "" && type == "ApproveSwap"`,
		"amount > 5 && amount < 7", "amount * 2 > fees", `weekday == "Monday" && time > "08:00"`,
	} {
		for _, warning := range warned(t, when, approver.Leave) {
			assert.NotContains(t, warning, "always holds", when)
		}
	}
}

// A rule that is to stop something is not passed because the service leaves out what the rule asks for.
func TestRulesThatStopAskForWhatIsNotSaid(t *testing.T) {
	rules := rulesAt(t, `
rules:
  - {name: costly, when: fees > 50 && asset == "BTC", then: reject}
  - {name: cheap swap, when: receive_amount < 50, then: leave}
  - {name: elsewhere, when: chain != 1, then: reject}
  - {name: all, when: 'type in ["ApproveTransfer", "ApproveSwap", "ApproveExternalSign", "ApproveNewWalletConnect"]', then: approve}
`, at(noon))
	silent := func(a *qredo.Action) { a.Details.NetAmount, a.Details.Fees = 0, 0 }
	for name, c := range map[string]struct {
		action qredo.Action
		want   approver.Verdict
		rule   string
		reason string
	}{
		"what is said":            {newAction(), approver.Approve, "all", ""},
		"fees that are not":       {newAction(silent), approver.Leave, "costly", "the service does not say fees"},
		"fees that do not matter": {newAction(silent, of("ETH")), approver.Approve, "all", ""},
		"a price":                 {newAction(swap(50)), approver.Approve, "all", ""},
		"a bad one":               {newAction(swap(49)), approver.Leave, "cheap swap", "receive_amount < 50"},
		"none":                    {newAction(swap(1), func(a *qredo.Action) { a.Details.Receive = nil }), approver.Leave, "cheap swap", "the service does not say receive_amount"},
		"a chain":                 {newAction(ether), approver.Approve, "all", ""},
		"no chain":                {newAction(ether, func(a *qredo.Action) { a.Details.ClientData = nil }), approver.Leave, "elsewhere", "the service does not say chain"},
		"what there cannot be":    {newAction(connect), approver.Approve, "all", ""},
	} {
		d, err := rules.Decide(plain(t), c.action)
		require.NoError(t, err)
		assert.Equal(t, []any{c.want, c.rule}, []any{d.Verdict, d.Rule}, name)
		assert.Contains(t, d.Reason, c.reason, name)
	}
	assert.Contains(t, rules.Explain(plain(t), newAction(silent)).String(), `rule "costly" in line 3 asks for what is not said, and decides: fees > 50`)
}

// Commit 4e8818f approved a swap of 9 BTC for 1 base unit by a rule for one's own wallets, whose recipient was one.
func TestSwapsAreApprovedByTheirNameAndPrice(t *testing.T) {
	own := rulesAt(t, rulesFile(`recipient in ["OUR_BTC", "OUR_ETH"]`), at(noon))
	priced := rulesAt(t, rulesFile(`type in ["ApproveSwap", "ApproveSwapTake"] && asset == "BTC" && receive_asset == "ETH" && receive_amount >= amount * 150 && wallet == "wallet-1"`), at(noon))
	for _, change := range []func(*qredo.Action){swap(1), swap(900_000_000 * 150)} {
		assert.Equal(t, approver.Leave, verdict(t, own, newAction(change)))
	}
	assert.Equal(t, approver.Leave, verdict(t, priced, newAction(swap(900_000_000*150-1))))
	assert.Equal(t, approver.Approve, verdict(t, priced, newAction(swap(900_000_000*150))))
	assert.Equal(t, approver.Leave, verdict(t, priced, newAction(swap(1), func(a *qredo.Action) { a.Details.Receive = nil })), "what is not known")
	assert.Empty(t, priced.Warnings())
	assert.Contains(t, strings.Join(warned(t, `type == "ApproveSwap" && amount < 5`, approver.Approve), ""), "approves swaps at any price")
	values := own.Explain(plain(t), newAction(swap(7))).Values
	assert.Empty(t, values["recipient"])
	assert.Empty(t, values["recipient_name"])
	assert.Equal(t, []any{"ETH", int64(7)}, []any{values["receive_asset"], values["receive_amount"]})
}

// Commit 4e8818f loaded all of these.
func TestRuleFilesHideNothing(t *testing.T) {
	rule := "rules:\n  - name: r\n    when: recipient == %q\n    then: reject\n"
	for name, c := range map[string]struct {
		file string
		line int
	}{
		"a line separator in a comment":      {"# fine\u2028rules: []\nrules:\n  - {name: r, when: amount < 5, then: approve}\n", 1},
		"a paragraph separator":              {"rules:\n  - {name: r, when: amount < 5, then: approve} # \u2029\n", 2},
		"a next line":                        {"rules:\n# \u0085\n  - {name: r, when: amount < 5, then: approve}\n", 2},
		"a carriage return":                  {"# fine\r  - x\nrules:\n  - {name: r, when: amount < 5, then: approve}\n", 1},
		"a zero-width space":                 {strings.Replace(rule, "%q", "\"0xdead\u200b\"", 1), 3},
		"a no-break space":                   {strings.Replace(rule, "%q", "\"0xdead\u00a0\"", 1), 3},
		"a change of direction":              {strings.Replace(rule, "%q", "\"\u202e0xdead\"", 1), 3},
		"a direction in a comment":           {"# \u2067\n" + fmt.Sprintf(rule, "a"), 1},
		"a soft hyphen in a name":            {"rules:\n  - name: r\u00ad\n    when: amount < 5\n    then: reject\n", 2},
		"no UTF-8":                           {"# \xff\n" + fmt.Sprintf(rule, "a"), 1},
		"a letter that looks like another":   {strings.Replace(rule, "%q", "\"0xde\u0430d\"", 1), 3},
		"a full-width letter":                {strings.Replace(rule, "%q", "\"\uff22TC\"", 1), 3},
		"one that is written with an escape": {"rules:\n  - name: r\n    when: \"recipient == '\\u0430'\"\n    then: reject\n", 3},
		"a space that is an escape":          {"rules:\n  - name: \"r\\u200b\"\n    when: amount < 5\n    then: reject\n", 2},
		"an alias as a key":                  {"rules:\n  - &when name: r\n    *when : amount < 5\n    then: reject\n", 2},
		"an anchor on a key":                 {"rules:\n  - name: r\n    &a when: amount < 5\n    then: reject\n", 3},
		"an anchor on a rule":                {"rules:\n  - &a\n    name: r\n    when: amount < 5\n    then: reject\n", 2},
		"an alias for a rule":                {"lists:\n  a: &l [b]\nrules:\n  - {name: r, when: asset in a, then: reject}\n", 2},
		"a tag":                              {"rules:\n  - name: r\n    when: !!str amount < 5\n    then: reject\n", 3},
		"a look-alike in a list":             {"lists:\n  a:\n    - ok\n    - \"\u0430\"\nrules:\n  - {name: r, when: recipient in a, then: reject}\n", 4},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := approver.ParseRules("rules.yaml", []byte(c.file))
			var e *approver.RuleError
			require.ErrorAs(t, err, &e)
			assert.Equal(t, c.line, e.Line, err)
		})
	}
	for name, file := range map[string]string{
		"words of other languages in comments": "# für große Beträge, 金額\n" + fmt.Sprintf(rule, "a"),
		"lines that end as on Windows":         strings.ReplaceAll(fmt.Sprintf(rule, "a"), "\n", "\r\n"),
		"a byte order mark":                    "\ufeff" + fmt.Sprintf(rule, "a"),
		"letters that are written as such":     "rules:\n  - name: r\n    when: reference == \"M\\u00fcller\"\n    then: reject\n",
	} {
		rules, err := approver.ParseRules("rules.yaml", []byte(file))
		require.NoError(t, err, name)
		if strings.Contains(file, "fcller") {
			assert.Equal(t, approver.Reject, verdict(t, rules, newAction(func(a *qredo.Action) { a.Details.Reference = "Müller" })))
		}
	}
}

// Commit 4e8818f warned of none of these.
func TestRulesThatTrustWhatOthersChooseAreWarnedOf(t *testing.T) {
	for when, who := range map[string]string{
		`recipient_name == "Partner Bank"`: "the other side chooses recipient_name", `whitelist_name startsWith "payout"`: "whoever put the address on the whitelist",
		`reference == "rent"`: "whoever asks for the payment", `amount < 5 && benefit_of == "Jane"`: "whoever asks for the payment",
	} {
		assert.Contains(t, strings.Join(warned(t, when, approver.Approve), "\n"), who)
		assert.Empty(t, warned(t, when, approver.Reject))
		assert.Empty(t, warned(t, when+` && recipient == "bc1q" && asset == "BTC"`, approver.Approve))
	}
	for _, when := range []string{"amount < 5", "net_amount < 5 && recipient == \"a\""} {
		assert.Equal(t, []string{`rules.yaml:2: rule "only": an amount is compared whatever its asset: say the asset, or an amount such as "0.5 BTC"`}, warned(t, when, approver.Approve))
		assert.Empty(t, warned(t, when, approver.Leave))
	}
	assert.Empty(t, warned(t, `amount < "5 BTC"`, approver.Approve))
	assert.Contains(t, strings.Join(warned(t, `type == "ApproveExternalSign" && chain == 1`, approver.Approve), "\n"), "Web3 payments of any value, of any gas, of any recipient, of any method")
	assert.Empty(t, warned(t, `type == "ApproveExternalSign" && value <= "1 ETH" && gas <= "0.1 ETH" && method == "" && recipient == "0x52908400098527886e0f7030069857d2e4169ee7"`, approver.Approve))
}

// Commit 4e8818f read rules that everybody could write.
func TestRulesThatOthersCanWrite(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("on Windows a file's mode does not show who can write it")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "rules.yaml")
	require.NoError(t, os.WriteFile(path, []byte(rulesFile(`wallet == "w"`)), 0o600))
	load := func(file, folder os.FileMode) ([]string, error) {
		require.NoError(t, os.Chmod(path, file))
		require.NoError(t, os.Chmod(dir, folder))
		rules, err := approver.LoadRules(path)
		if err != nil {
			return nil, err
		}
		return rules.Warnings(), nil
	}
	warnings, err := load(0o644, 0o755)
	require.NoError(t, err)
	assert.Empty(t, warnings)
	_, err = load(0o646, 0o755)
	require.ErrorAs(t, err, new(*approver.RuleError))
	require.ErrorContains(t, err, "others can write to "+path)
	_, err = load(0o644, 0o757|os.ModeSticky)
	require.NoError(t, err, "in a folder such as /tmp only owners replace files")
	_, err = load(0o644, 0o757)
	require.ErrorAs(t, err, new(*approver.RuleError))
	require.ErrorContains(t, err, "others can replace files in the folder")
	require.ErrorContains(t, err, "chmod go-w "+dir)
	rules, err := approver.LoadRules(path, approver.WithInsecureFiles())
	require.NoError(t, err)
	assert.Contains(t, strings.Join(rules.Warnings(), ""), "others can replace files in the folder")
}

// A folder far above the files is enough for others to put other files there.
func TestFilesInFoldersThatOthersCanWrite(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("on Windows a file's mode does not show who can write it")
	}
	top := t.TempDir()
	dir := filepath.Join(top, "a", "b")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "rules.yaml"), []byte(rulesFile("fees < 5")), 0o600))
	require.NoError(t, os.Chmod(top, 0o777))
	for name, open := range map[string]func(path string, insecure ...approver.InsecureFilesOption) error{
		"rules.yaml": func(path string, insecure ...approver.InsecureFilesOption) error {
			var opts []approver.FileOption
			for _, o := range insecure {
				opts = append(opts, o)
			}
			_, err := approver.LoadRules(path, opts...)
			return err
		},
		"store": func(path string, insecure ...approver.InsecureFilesOption) error {
			var opts []approver.FileOption
			for _, o := range insecure {
				opts = append(opts, o)
			}
			store, err := approver.OpenStore(path, opts...)
			if err == nil {
				err = store.Close()
			}
			return err
		},
		"audit.jsonl": func(path string, insecure ...approver.InsecureFilesOption) error {
			var opts []approver.AuditOption
			for _, o := range insecure {
				opts = append(opts, o)
			}
			log, err := approver.OpenAuditLog(path, opts...)
			if err == nil {
				err = log.Close()
			}
			return err
		},
	} {
		require.ErrorContains(t, open(filepath.Join(dir, name)), "chmod go-w "+top, name)
		require.NoError(t, open(filepath.Join(dir, name), approver.WithInsecureFiles()), name)
	}
}

// Commit 4e8818f took a range of a hundred million amounts, and made a list of them each time.
func TestAmountsBetweenTwoFigures(t *testing.T) {
	rules := rulesAt(t, rulesFile("1 < amount <= 100000000"), at(noon))
	began := time.Now()
	for range 1000 {
		assert.Equal(t, approver.Approve, verdict(t, rules, newAction(amount(100_000_000))))
	}
	assert.Less(t, time.Since(began), 5*time.Second)
	assert.Equal(t, approver.Leave, verdict(t, rules, newAction(amount(100_000_001))))
}

// An asset, a wallet, a fund or a recipient that the service leaves out is not one that differs from what it must not be.
func TestWhatIsLeftOutIsNotAnEmptyText(t *testing.T) {
	silent := newAction(func(a *qredo.Action) {
		a.Details.Asset, a.Details.WalletID, a.Details.FundID, a.Details.RecipientID, a.Details.RecipientAddress = "", "", "", "", ""
	})
	for _, condition := range []string{`asset != "ETH"`, `wallet != "cold"`, `fund != "other"`, `recipient not in ["evil"]`, `!(recipient contains "evil")`} {
		assert.Equal(t, approver.Leave, verdict(t, rulesAt(t, rulesFile(condition), at(noon)), silent), condition)
		assert.Equal(t, approver.Approve, verdict(t, rulesAt(t, rulesFile(condition), at(noon)), newAction()), condition)
	}
	for _, condition := range []string{`asset == "BTC"`, `amount > "0.00000001 BTC"`, `wallet == "cold"`, `recipient == "evil"`} {
		rejects := rulesAt(t, fmt.Sprintf("rules:\n  - {name: no, when: '%s', then: reject}\n  - {name: all, when: true, then: approve}\n", condition), at(noon))
		assert.Equal(t, approver.Leave, verdict(t, rejects, silent), condition)
	}
	for _, per := range []string{"asset", "wallet", "recipient"} {
		limited := rulesAt(t, fmt.Sprintf("rules:\n  - {name: all, when: true, then: approve, limits: [{per: %s, window: 1h, max_count: 5}]}\n", per), at(noon))
		assert.Equal(t, approver.Leave, verdict(t, limited, silent), per)
		assert.Equal(t, approver.Approve, verdict(t, limited, newAction()), per)
	}
}
