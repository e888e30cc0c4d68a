package requestlog

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"
)

// The parts of an HTTP archive, version 1.2, as far as they are used here.
type (
	harEntry struct {
		Started  string      `json:"startedDateTime"`
		Time     float64     `json:"time"` // milliseconds
		Request  harRequest  `json:"request"`
		Response harResponse `json:"response"`
		Cache    struct{}    `json:"cache"`
		Timings  harTimings  `json:"timings"`
		Comment  string      `json:"comment,omitempty"`
	}
	harRequest struct {
		Method      string   `json:"method"`
		URL         string   `json:"url"`
		HTTPVersion string   `json:"httpVersion"`
		Cookies     []Header `json:"cookies"`
		Headers     []Header `json:"headers"`
		QueryString []Header `json:"queryString"`
		PostData    *harPost `json:"postData,omitempty"`
		HeadersSize int      `json:"headersSize"`
		BodySize    int      `json:"bodySize"`
	}
	harPost struct {
		MimeType string   `json:"mimeType"`
		Params   []Header `json:"params"`
		Text     string   `json:"text"`
		Comment  string   `json:"comment,omitempty"`
	}
	harResponse struct {
		Status      int        `json:"status"`
		StatusText  string     `json:"statusText"`
		HTTPVersion string     `json:"httpVersion"`
		Cookies     []Header   `json:"cookies"`
		Headers     []Header   `json:"headers"`
		Content     harContent `json:"content"`
		RedirectURL string     `json:"redirectURL"`
		HeadersSize int        `json:"headersSize"`
		BodySize    int        `json:"bodySize"`
		Comment     string     `json:"comment,omitempty"`
	}
	harContent struct {
		Size     int    `json:"size"`
		MimeType string `json:"mimeType"`
		Text     string `json:"text"`
		Encoding string `json:"encoding,omitempty"`
		Comment  string `json:"comment,omitempty"`
	}
	harTimings struct {
		Send    float64 `json:"send"`
		Wait    float64 `json:"wait"`
		Receive float64 `json:"receive"`
	}
)

// WriteHAR writes records as an HTTP archive, without the secrets in them. What is no text is in base64.
func WriteHAR(w io.Writer, creator, version string, records []*Packed) error {
	names, err := json.Marshal(map[string]string{"name": creator, "version": version})
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, `{"log":{"version":"1.2","creator":`+string(names)+`,"entries":[`); err != nil {
		return err
	}
	for i, p := range records {
		data, err := json.Marshal(p.Record().entry())
		if err != nil {
			return err
		}
		if i > 0 {
			data = append([]byte(",\n"), data...)
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
	_, err = io.WriteString(w, "]}}\n")
	return err
}

const cutComment = "cut: the rest was not kept"

func (r *Record) entry() harEntry {
	const unknown = -1
	u := r.RedactURL()
	took := float64(r.Took.Microseconds()) / 1000
	e := harEntry{
		Started: r.At.UTC().Format(time.RFC3339Nano), Time: took, Timings: harTimings{Wait: took},
		Request: harRequest{
			Method: r.Method, URL: u, HTTPVersion: r.Proto, Cookies: []Header{}, Headers: r.RedactHeaders(), QueryString: queryOf(u),
			HeadersSize: unknown, BodySize: r.Body.Size,
		},
		Response: harResponse{
			Status: r.Status, StatusText: http.StatusText(r.Status), HTTPVersion: r.Proto, Cookies: []Header{}, Headers: r.RedactAnswerHeaders(),
			HeadersSize: unknown, BodySize: r.AnswerBody.Size,
		},
	}
	if r.Fault != "" {
		e.Comment = "fault " + r.Fault + ": " + string(r.Answer)
	}
	if r.Body.Size > 0 {
		text, encoding := r.RedactBody(r.Body)
		e.Request.PostData = &harPost{MimeType: r.Header.Get("Content-Type"), Params: []Header{}, Text: text, Comment: encoding}
		if r.Body.Cut() {
			e.Request.PostData.Comment = strings.TrimSpace(encoding + " " + cutComment)
		}
	}
	c := &e.Response.Content
	c.Size = r.AnswerBody.Size
	c.Text, c.Encoding = r.RedactBody(r.AnswerBody)
	if r.AnswerBody.Cut() {
		c.Comment = cutComment
	}
	for _, h := range r.AnswerHeader {
		if h.Name == "Content-Type" {
			c.MimeType = h.Value
		}
	}
	return e
}

func queryOf(u string) []Header {
	list := []Header{}
	_, query, _ := strings.Cut(u, "?")
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(part, "=")
		if part != "" {
			list = append(list, Header{unescaped(name), unescaped(value)})
		}
	}
	return list
}
