package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// FieldError tells which field of a JSON document could not be read, and why.
type FieldError struct {
	Field   string // as a path: "history[3].amount"; empty for the document itself
	Problem string
}

func (e *FieldError) Error() string {
	if e.Field == "" {
		return e.Problem
	}
	return e.Field + ": " + e.Problem
}

// syntaxError says what is wrong with a document that is not JSON: for a short one, as encoding/json does.
func syntaxError(data []byte, err error) error {
	if len(data) > pause || !errors.As(err, new(*FieldError)) {
		return err
	}
	var raw json.RawMessage
	err = json.Unmarshal(data, &raw)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		return &FieldError{Problem: fmt.Sprintf("not JSON at byte %d: %v", syntax.Offset, err)}
	}
	return &FieldError{Problem: fmt.Sprintf("not JSON: %v", err)}
}

func within(outer string, err error) error {
	var inner *FieldError
	if !errors.As(err, &inner) {
		inner = &FieldError{Problem: err.Error()}
	}
	field := outer
	switch {
	case strings.HasPrefix(inner.Field, "["):
		field += inner.Field
	case inner.Field != "":
		field += "." + inner.Field
	}
	return &FieldError{Field: field, Problem: inner.Problem}
}

// fieldProblem turns a problem with a value into a [*FieldError].
func fieldProblem(err error) error {
	if field := (*FieldError)(nil); errors.As(err, &field) {
		return field
	}
	return &FieldError{Problem: err.Error()}
}
