package feed

import (
	"context"
	"fmt"
	"sync"
)

// AtOnce is how many lists are read at the same time.
const AtOnce = 8

// Each calls do with each of some things, [AtOnce] at a time, all of them also where some fail. Of the errors it returns the
// first, and how many more there were.
func Each[T any](ctx context.Context, of []T, do func(T) error) error {
	var (
		mu     sync.Mutex
		first  error
		failed int
		group  sync.WaitGroup
		free   = make(chan struct{}, AtOnce)
	)
	for _, one := range of {
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
			group.Wait()
			return ctx.Err()
		}
		group.Go(func() {
			defer func() { <-free }()
			if err := do(one); err != nil {
				mu.Lock()
				defer mu.Unlock()
				if failed++; first == nil {
					first = err
				}
			}
		})
	}
	group.Wait()
	if failed > 1 {
		return fmt.Errorf("%w (and %d more failed)", first, failed-1)
	}
	return first
}
