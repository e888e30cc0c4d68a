package agentcrypto

import (
	"fmt"
	"log/slog"
)

const redacted = "[redacted]"

// hidden is embedded by what must not get into a log. What is secret beside it is held by pointers: package fmt
// cannot ask a value in an unexported field of another struct, but does not follow its pointers.
type hidden struct{}

// String returns "[redacted]".
func (hidden) String() string { return redacted }

// Format prints "[redacted]" whatever the verb.
func (hidden) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue returns "[redacted]".
func (hidden) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON writes "[redacted]".
func (hidden) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
