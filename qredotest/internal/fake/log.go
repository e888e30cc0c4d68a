// Package fake is what the generated fakes share.
package fake

import (
	"errors"
	"sync"
)

// TestingT is what a fake needs of a test.
type TestingT interface {
	Helper()
	Errorf(format string, args ...any)
}

// Log notes calls. It is safe for concurrent use.
type Log struct {
	mu    sync.Mutex
	calls []call
	told  map[string]bool
}

type call struct {
	method string
	args   any
}

// Note notes a call with its arguments.
func (l *Log) Note(method string, args any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, call{method, args})
}

// Methods names what was called, in order.
func (l *Log) Methods() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	names := make([]string, len(l.calls))
	for i, c := range l.calls {
		names[i] = c.method
	}
	return names
}

// Calls returns the arguments of each call of a method.
func Calls[A any](l *Log, method string) []A {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []A
	for _, c := range l.calls {
		if c.method == method {
			all = append(all, c.args.(A))
		}
	}
	return all
}

// Unset fails a test since a method of a fake was called whose field is not set, and returns the error for who has called it:
// it may be a goroutine of the program, which the test cannot end. A test is told of each method once.
func (l *Log) Unset(t TestingT, of, method string) error {
	text := "qredotest: " + of + "." + method + " was called, and " + method + "Func is not set"
	if t == nil {
		panic(text + " (nor is T, so the test cannot be failed)")
	}
	t.Helper()
	l.mu.Lock()
	told := l.told[method]
	if l.told == nil {
		l.told = map[string]bool{}
	}
	l.told[method] = true
	l.mu.Unlock()
	if !told {
		t.Errorf("%s", text)
	}
	return errors.New(text)
}
