package world

import "fmt"

// ErrorKind says why a command was refused.
type ErrorKind int

// The kinds of refusals.
const (
	Invalid   ErrorKind = iota + 1 // what was asked for cannot be right, or not now
	NotFound                       // what it names is not there, or is another account's
	Conflict                       // it is there already, or has ended
	Forbidden                      // who asks may not have it
)

// Error is a command that was refused: nothing has changed. Its reason calls things what the service's documents
// call them. Any other error means that the world is broken, or its journal.
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
