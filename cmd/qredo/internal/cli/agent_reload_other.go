//go:build !unix

package cli

import (
	"os/signal"
	"syscall"
)

// notify catches no signals for shadow: this system has none.
func (r *reloads) notify() { signal.Notify(r.again, syscall.SIGHUP) }
