//go:build !unix

package cli

import (
	"os/signal"
	"syscall"
)

// notify has no signals for shadow: there are none here.
func (r *reloads) notify() { signal.Notify(r.again, syscall.SIGHUP) }
