package world

import "fmt"

// ErrorKind says why a command was refused.
type ErrorKind int

// The kinds of refusals.
const (
	Invalid   ErrorKind = iota + 1 // the request cannot be right, or not now
	NotFound                       // something does not exist, or belongs to another account
	Conflict                       // it exists already, or has ended
	Forbidden                      // the caller may not do it
)

// Error is the refusal of a command: nothing has changed. Its reason uses the names of the service's documents. Any other
// error means that the world or its journal is broken.
type Error struct {
	Kind   ErrorKind
	Reason string
}

// Error gives the reason.
func (e *Error) Error() string { return e.Reason }

func invalid(reason string, args ...any) error {
	return &Error{Invalid, fmt.Sprintf(reason, args...)}
}

func notFound(what string) error { return &Error{NotFound, "no such " + what} }

func conflict(reason string, args ...any) error {
	return &Error{Conflict, fmt.Sprintf(reason, args...)}
}
