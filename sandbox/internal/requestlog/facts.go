package requestlog

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/qredo-go/qredo/internal/wire"
)

// Facts are what the bodies of a request and of its answer say.
type Facts struct {
	PartnerTxID string // that the request names

	Reason            string // of a refusal
	TxID, Status      string // of a submission
	CompanyID, FundID string
}

// Facts reads the bodies.
func (r *Record) Facts() (f Facts) {
	if bytes.HasPrefix(bytes.TrimSpace(r.Body.Bytes), []byte("{")) {
		var asked struct {
			PartnerTxID string `json:"partner_txID"`
		}
		if wire.Unmarshal(r.Body.Bytes, &asked) == nil { // as the API reads it
			f.PartnerTxID = asked.PartnerTxID
		}
	}
	var said struct {
		TxID      string `json:"tx_id"`
		Status    any    `json:"status"`
		CompanyID string `json:"company_id"`
		FundID    string `json:"fund_id"`
		Detail    struct {
			Reason string `json:"reason"`
		} `json:"detail"`
	}
	if json.Unmarshal(r.HandledBody().Bytes, &said) == nil {
		f.Reason, f.TxID, f.CompanyID, f.FundID = said.Detail.Reason, said.TxID, said.CompanyID, said.FundID
		f.Status, _ = said.Status.(string)
	}
	return f
}

// HandledBody is what was answered or, where a fault has kept that from the client, would have been.
func (r *Record) HandledBody() Body {
	if r.Handled != nil {
		return r.Handled.Body
	}
	return r.AnswerBody
}

// Mentions reports whether a text, in small letters, stands somewhere in a record where no secret does.
func (r *Record) Mentions(text string) bool {
	contains := func(part string) bool { return strings.Contains(strings.ToLower(part), text) }
	if slices.ContainsFunc([]string{r.Operation, r.Method, r.Key(), r.Fault}, contains) || contains(r.URL) && contains(r.RedactURL()) {
		return true
	}
	if strings.Contains(r.Operation, "/coreclient/") { // an agent's secrets
		return false
	}
	return mentions(r, r.Body, text) || mentions(r, r.HandledBody(), text)
}

func mentions(r *Record, b Body, text string) bool {
	if len(b.Bytes) == 0 || !bytes.Contains(bytes.ToLower(b.Bytes), []byte(text)) {
		return false
	}
	shown, _ := r.RedactBody(b)
	return strings.Contains(strings.ToLower(shown), text)
}
