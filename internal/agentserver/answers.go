package agentserver

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// apiError is an error that the API returns.
type apiError struct {
	status int
	detail string
}

func (e *apiError) Error() string { return e.detail }

func refuse(status int, format string, args ...any) error {
	return &apiError{status, fmt.Sprintf(format, args...)}
}

// errorBody is the JSON of errors, with capitals.
type errorBody struct {
	Code   int    `json:"Code"`
	Detail string `json:"Detail"`
}

// writeJSON writes an object and the line end that the old program wrote.
func writeJSON(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		writeError(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // the caller may have gone
}

// writeError writes an error, without a line end.
func writeError(w http.ResponseWriter, status int, detail string) {
	text, err := json.Marshal(errorBody{status, detail})
	if err != nil { // numbers and texts are not objects
		text = nil
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// okBody is what the old program returns when it has nothing to say, in the format of its errors.
const okBody = `{"Code":200,"Msg":"OK"}`
