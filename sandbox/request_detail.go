package sandbox

import (
	"slices"
	"strconv"

	"github.com/qredo-go/qredo/sandbox/internal/requestlog"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
)

// HeaderField is one line of a header.
type HeaderField struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// RequestDetail is a request with everything that is known about it. The first 64 KiB of each body are kept; a body that is not
// text is in base64, as its encoding says. Whatever grants access is shortened: keys, signatures, proofs, secrets.
type RequestDetail struct {
	RequestRecord

	RequestHeaders      []HeaderField `json:"request_headers"`
	RequestBody         string        `json:"request_body"`
	RequestBodyEncoding string        `json:"request_body_encoding"`
	AnswerHeaders       []HeaderField `json:"answer_headers"`
	// AnswerBody and HandledStatus are the answer to the request by whatever handled it. If a fault kept that from the client,
	// SentBody is what the client got instead.
	AnswerBody         string  `json:"answer_body"`
	AnswerBodyEncoding string  `json:"answer_body_encoding"`
	HandledStatus      int     `json:"handled_status"`
	SentBody           *string `json:"sent_body,omitzero"`
	BodyCut            bool    `json:"body_cut"`

	Explanation   *Explanation   `json:"explanation"` // for a refused signature, otherwise nil
	Curl          string         `json:"curl"`        // the command that sends it again, once it is signed
	Resendable    bool           `json:"resendable"`
	NotResendable string         `json:"not_resendable,omitzero"` // why
	About         []RequestAbout `json:"about"`
}

// RequestAbout is something that a request concerns.
type RequestAbout struct {
	Kind  string `json:"kind"` // "transaction", "wallet", "fund", "company" or "approval"
	ID    string `json:"id"`
	Label string `json:"label"`
}

// Request returns one request of the log, or [qredo.ErrNotFound] if it is no longer kept.
func (s *Sandbox) Request(id uint64) (RequestDetail, error) {
	r, err := s.recorded(id)
	if err != nil {
		return RequestDetail{}, err
	}
	out := RequestDetail{
		RequestRecord: describeRequest(r), RequestHeaders: headerFields(r.RedactHeaders()), AnswerHeaders: headerFields(r.RedactAnswerHeaders()),
		HandledStatus: r.Status, About: about(r), BodyCut: r.Body.Cut() || r.HandledBody().Cut(),
	}
	_, out.NotResendable = s.signerOf(r)
	out.Resendable, out.Curl = out.NotResendable == "", r.Curl()
	out.Explanation = s.explainRecord(r, out.Reason)
	out.RequestBody, out.RequestBodyEncoding = r.RedactBody(r.Body)
	out.AnswerBody, out.AnswerBodyEncoding = r.RedactBody(r.HandledBody())
	if r.Handled != nil {
		out.HandledStatus = r.Handled.Status
		sent, _ := r.RedactBody(r.AnswerBody)
		out.SentBody = &sent
	}
	return out, nil
}

// recorded finds a request in the log.
func (s *Sandbox) recorded(id uint64) (*requestlog.Record, error) {
	p := s.requests.Get(id)
	if p == nil {
		return nil, serve.NotFound("request in the log, which keeps only the latest ones")
	}
	return p.Record(), nil
}

func headerFields(list []requestlog.Header) []HeaderField {
	fields := make([]HeaderField, len(list))
	for i, h := range list {
		fields[i] = HeaderField(h)
	}
	return fields
}

// about is what a request concerns, by its path and answer: a refused request may name things that do not exist.
func about(r *requestlog.Record) []RequestAbout {
	list := []RequestAbout{}
	add := func(kind, id string) {
		if a := (RequestAbout{Kind: kind, ID: id}); id != "" && !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	facts := r.Facts()
	if facts.Reason == "" {
		for _, placeholder := range [...][2]string{
			{"transaction", "tx_id"}, {"approval", "action_id"}, {"wallet", "wallet_id"}, {"fund", "fund_id"}, {"company", "company_id"},
		} {
			add(placeholder[0], r.IDs[placeholder[1]])
		}
	}
	add("transaction", facts.TxID)
	add("fund", facts.FundID)
	add("company", facts.CompanyID)
	return list
}

// requestID reads the ID of a request from a path.
func requestID(text string) (uint64, error) {
	id, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, serve.NotFound("request: its ID is a number")
	}
	return id, nil
}
