package serve

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// OK is the answer of a success that has nothing to say.
var OK = map[string]any{"code": http.StatusOK, "msg": "OK"}

// Done is the answer of what has nothing to say but whether it could be done.
func Done(err error) (any, error) { return OK, err }

// Counted is an answer with a list, and how much it holds.
func Counted[T any](count, name string, list []T) map[string]any {
	return map[string]any{count: len(list), name: list}
}

// inJSON is shared by all answers: it has no room for more.
var inJSON = []string{"application/json"}

// WriteJSON answers with a status and a body.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"code":500,"msg":"Internal Server Error"}`)
	}
	h := w.Header()
	h["Content-Type"] = inJSON
	h["Content-Length"] = []string{strconv.Itoa(len(data))}
	w.WriteHeader(status)
	_, _ = w.Write(data) // a client that has gone needs no answer
}
