package libcrypto

import (
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
)

// Mode says which implementation a [Signer] may use.
type Mode string

// The modes.
const (
	// ModeAuto uses the library where it signs rightly and faster than Go, and Go otherwise. It is the default.
	ModeAuto Mode = "auto"
	// ModeGo never loads a library.
	ModeGo Mode = "go"
	// ModeLibcrypto uses the library, and nothing else: what fails is an error.
	ModeLibcrypto Mode = "libcrypto"
)

// Option changes how a [Signer] signs. What cannot be right is a [*qredo.ValidationError].
type Option func(*config) error

type config struct {
	mode      Mode
	libraries []string
	openssl   string // configuration file
	parallel  int
	deadline  time.Duration
	timer     func(time.Duration) timer
}

// timer is a [time.Timer]; tests have their own.
type timer struct {
	c    <-chan time.Time
	stop func() bool
}

func realTimer(d time.Duration) timer {
	t := time.NewTimer(d)
	return timer{t.C, t.Stop}
}

// WithMode says which implementation may sign. Default: [ModeAuto].
func WithMode(mode Mode) Option {
	return func(c *config) error {
		switch mode {
		case ModeAuto, ModeGo, ModeLibcrypto:
			c.mode = mode
			return nil
		}
		return invalid("mode", "must be auto, go or libcrypto, is %q", string(mode))
	}
}

// WithLibrary names the library's file, which is loaded into the program and sees the key. Default: libcrypto.so.4 or
// libcrypto.so.3, where the system's loader finds it; on macOS those of Homebrew and MacPorts.
func WithLibrary(file string) Option {
	return func(c *config) error {
		if file == "" || strings.ContainsRune(file, 0) {
			return invalid("library", "must be the name of a file")
		}
		c.libraries = []string{file}
		return nil
	}
}

// WithConfig names a configuration file of OpenSSL, which activates the provider that [FromURI] needs. It holds for this Signer
// alone. Default: what the library reads by itself, the system's openssl.cnf or the file that OPENSSL_CONF names.
func WithConfig(file string) Option {
	return func(c *config) error {
		if file == "" || strings.ContainsRune(file, 0) {
			return invalid("configuration", "must be the name of a file")
		}
		c.openssl = file
		return nil
	}
}

// maxParallel keeps a mistaken number from creating as many threads.
const maxParallel = 4096

// WithParallel sets how many signatures the library makes at the same time, 1 to 4096; others wait for their turn. Each takes a thread of the
// system while it lasts. Default: [runtime.GOMAXPROCS] when the Signer is made; 16 for [FromURI], where the work is done elsewhere.
func WithParallel(n int) Option {
	return func(c *config) error {
		if n < 1 || n > maxParallel {
			return invalid("parallel", "must be 1 to %d, is %d", maxParallel, n)
		}
		c.parallel = n
		return nil
	}
}

// WithDeadline sets how long the library may take: for the start, and for each signature. After that Go signs, with this
// signature and all further ones, because a library that blocks cannot be stopped. With [FromURI] it is an error of that
// signature, and so is a wait for a turn as long. Default: 5 s; 30 s for [FromURI].
func WithDeadline(d time.Duration) Option {
	return func(c *config) error {
		if d <= 0 {
			return invalid("deadline", "must be more than 0, is %s", d)
		}
		c.deadline = d
		return nil
	}
}

func newConfig(opts []Option, parallel int, deadline time.Duration) (*config, error) {
	c := &config{mode: ModeAuto, libraries: defaultLibraries, parallel: parallel, deadline: deadline, timer: realTimer}
	for _, opt := range opts {
		if opt == nil {
			return nil, invalid("option", "must not be nil")
		}
		if err := opt(c); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func memoryConfig(opts []Option) (*config, error) {
	const deadline = 5 * time.Second
	c, err := newConfig(opts, runtime.GOMAXPROCS(0), deadline)
	if err == nil && c.openssl != "" {
		return nil, invalid("configuration", "is for keys by URI: see FromURI")
	}
	return c, err
}

func uriConfig(opts []Option) (*config, error) {
	const parallel, deadline = 16, 30 * time.Second
	c, err := newConfig(opts, parallel, deadline)
	if err == nil && c.mode == ModeGo {
		return nil, invalid("mode", "must not be go for a key by URI: Go has no such key")
	}
	return c, err
}

func invalid(field, rule string, args ...any) error {
	return &qredo.ValidationError{Field: field, Rule: fmt.Sprintf(rule, args...)}
}
