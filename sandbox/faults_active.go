package sandbox

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// wireFaultRule is a rule in JSON, with its durations as numbers.
type wireFaultRule struct {
	Kind              FaultKind `json:"kind"`
	Operation         string    `json:"operation,omitzero"`
	Rate              float64   `json:"rate"`
	Times             int       `json:"times,omitzero"`
	DelayMilliseconds int64     `json:"delay_ms,omitzero"`
	SkewSeconds       int64     `json:"skew_s,omitzero"`
}

func (r FaultRule) wire() wireFaultRule {
	return wireFaultRule{r.Kind, r.Operation, r.Rate, r.Times, r.Delay.Milliseconds(), int64(r.Skew / time.Second)}
}

func (w wireFaultRule) rule() FaultRule {
	return FaultRule{w.Kind, w.Operation, w.Rate, w.Times, time.Duration(w.DelayMilliseconds) * time.Millisecond, time.Duration(w.SkewSeconds) * time.Second}
}

// MarshalJSON writes the rule in the format of the control calls.
func (r FaultRule) MarshalJSON() ([]byte, error) { return json.Marshal(r.wire()) }

// UnmarshalJSON reads what [FaultRule.MarshalJSON] writes.
func (r *FaultRule) UnmarshalJSON(data []byte) error {
	var w wireFaultRule
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	*r = w.rule()
	return nil
}

// String says what the rule does, for people.
func (r FaultRule) String() string {
	of := r.Operation
	if of == "" {
		of = "all requests"
	}
	text := strconv.FormatFloat(100*r.Rate, 'g', 6, 64) + " % of " + of + ": " + string(r.Kind)
	switch {
	case r.Kind == FaultDelay || r.Kind == FaultRateLimit && r.Delay > 0:
		text += " " + r.Delay.String()
	case r.Kind == FaultSkewedDate:
		text += " " + r.Skew.String()
	}
	if r.Times > 0 {
		text += fmt.Sprintf(", %d times at most", r.Times)
	}
	return text
}

// ActiveFault is a rule in force. Its JSON is that of the rule, with these fields added.
type ActiveFault struct {
	Rule FaultRule
	Hits int    // how often it has happened
	Text string // what it does, for people
}

type wireActiveFault struct {
	wireFaultRule
	Hits int    `json:"hits"`
	Text string `json:"text"`
}

// MarshalJSON writes the rule with its hits.
func (a ActiveFault) MarshalJSON() ([]byte, error) {
	return json.Marshal(wireActiveFault{a.Rule.wire(), a.Hits, a.Text})
}

// UnmarshalJSON reads what [ActiveFault.MarshalJSON] writes.
func (a *ActiveFault) UnmarshalJSON(data []byte) error {
	var w wireActiveFault
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	*a = ActiveFault{w.rule(), w.Hits, w.Text}
	return nil
}

// FaultPreset is a ready-made combination of rules for [Sandbox.SetFaults].
type FaultPreset struct {
	Name        string      `json:"name"`
	Description string      `json:"description"`
	Rules       []FaultRule `json:"rules"`
}

// ActiveFaults lists the faults in force, and those available.
type ActiveFaults struct {
	Seed    uint64        `json:"seed"`
	Rules   []ActiveFault `json:"rules"`
	Presets []FaultPreset `json:"presets"`
}

// presets are combinations that occur in practice.
var presets = []FaultPreset{
	{"flaky network", "Connections break before, instead of and within answers, and some requests are slow.", []FaultRule{
		{Kind: FaultDropRequest, Rate: 0.05}, {Kind: FaultDropAnswer, Rate: 0.05}, {Kind: FaultCutBody, Rate: 0.02}, {Kind: FaultDelay, Rate: 0.2, Delay: 300 * time.Millisecond},
	}},
	{"overloaded service", "Requests are refused with 429, fail with 500, or take seconds.", []FaultRule{
		{Kind: FaultRateLimit, Rate: 0.2, Delay: time.Second}, {Kind: FaultServerError, Rate: 0.1}, {Kind: FaultDelay, Rate: 0.3, Delay: 2 * time.Second},
	}},
	{"lying proxy", "Requests are carried out, but answered by something else: a page, an error, or an empty answer.", []FaultRule{
		{Kind: FaultHTML, Rate: 0.1}, {Kind: FaultErrorHandled, Rate: 0.05}, {Kind: FaultNoTxID, Rate: 0.05},
	}},
	{"lost answers to payments", "Half of all transfers and withdrawals are made, but not answered.", []FaultRule{
		{Kind: FaultDropAnswer, Operation: "POST /company/{company_id}/transfer", Rate: 0.5}, {Kind: FaultDropAnswer, Operation: "POST /company/{company_id}/withdraw", Rate: 0.5},
	}},
	{"wrong clock", "The service's date is two hours ahead.", []FaultRule{{Kind: FaultSkewedDate, Rate: 1, Skew: 2 * time.Hour}}},
}

// Faults returns the faults in force, how often each has happened, and ready-made combinations.
func (s *Sandbox) Faults() (ActiveFaults, error) {
	f := &s.faults
	f.mu.Lock()
	defer f.mu.Unlock()
	out := ActiveFaults{Seed: f.seed, Rules: make([]ActiveFault, len(f.rules)), Presets: presets}
	for i, r := range f.rules {
		out.Rules[i] = ActiveFault{r, f.used[i], r.String()}
	}
	return out, nil
}
