package agentserver

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// apiError is an error that the API answers.
type apiError struct {
	status int
	detail string
}

func (e *apiError) Error() string { return e.detail }

func refuse(status int, format string, args ...any) error {
	return &apiError{status, fmt.Sprintf(format, args...)}
}

// errorBody is the form of errors: with capitals.
type errorBody struct {
	Code   int    `json:"Code"`
	Detail string `json:"Detail"`
}

// writeJSON answers with an object and the line end that the old program wrote.
func writeJSON(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		writeError(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // a caller that has gone is told of nothing
}

// writeError answers with an error, without a line end.
func writeError(w http.ResponseWriter, status int, detail string) {
	text, err := json.Marshal(errorBody{status, detail})
	if err != nil { // which a number and a text are not
		text = nil
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// okBody is what the old program answers where it has nothing to say, as one of its errors.
const okBody = `{"Code":200,"Msg":"OK"}`
