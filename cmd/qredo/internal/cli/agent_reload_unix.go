//go:build unix

package cli

import (
	"os/signal"
	"syscall"
)

// notify also makes a closed standard output an error of writing, instead of the program's end.
func (r *reloads) notify() {
	signal.Ignore(syscall.SIGPIPE)
	signal.Notify(r.again, syscall.SIGHUP)
	signal.Notify(r.brake, syscall.SIGUSR1)
	signal.Notify(r.live, syscall.SIGUSR2)
}
