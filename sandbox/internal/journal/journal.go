// Package journal keeps events in the order in which they happened.
package journal

// Journal is where events go before they take effect. What Append has returned from without an error
// will be there.
type Journal[E any] interface {
	// Append stores events, all or none.
	Append(events []E) error
	// Replay calls f with each event, oldest first, until f returns an error.
	Replay(f func(E) error) error
	// Reset forgets all events.
	Reset() error
	Close() error
}

// Memory is a journal that lives as long as the program. The zero Memory is ready to use.
type Memory[E any] struct{ events []E }

// Append stores events.
func (m *Memory[E]) Append(events []E) error {
	m.events = append(m.events, events...)
	return nil
}

// Replay calls f with each event, oldest first.
func (m *Memory[E]) Replay(f func(E) error) error {
	for _, e := range m.events {
		if err := f(e); err != nil {
			return err
		}
	}
	return nil
}

// Reset forgets all events.
func (m *Memory[E]) Reset() error {
	m.events = nil
	return nil
}

// Close does nothing.
func (m *Memory[E]) Close() error { return nil }
