//go:build unix

package cli

import (
	"os/signal"
	"syscall"
)

// notify has the end of who reads standard output be an error of what is written, too, and not the program's end.
func (r *reloads) notify() {
	signal.Ignore(syscall.SIGPIPE)
	signal.Notify(r.again, syscall.SIGHUP)
	signal.Notify(r.brake, syscall.SIGUSR1)
	signal.Notify(r.live, syscall.SIGUSR2)
}
