package agentcrypto

import (
	"fmt"
	"log/slog"
)

const redacted = "[redacted]"

// hidden is embedded in types that must not get into a log. Their secret fields are veiled as well: package fmt cannot
// call methods of an unexported field of another struct, and follows its pointers for some verbs, such as %s.
type hidden struct{}

// veiled holds a secret. It is a function because no printer looks into one.
type veiled[T any] func() T

func veil[T any](secret T) veiled[T] { return func() T { return secret } }

// String returns "[redacted]".
func (hidden) String() string { return redacted }

// Format prints "[redacted]" whatever the verb.
func (hidden) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue returns "[redacted]".
func (hidden) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON writes "[redacted]".
func (hidden) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
