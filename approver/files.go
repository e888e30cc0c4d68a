package approver

import (
	"time"

	"github.com/qredo-go/qredo/approver/internal/seals"
	"github.com/qredo-go/qredo/internal/durable"
)

// FileOption changes how rules, pins and stores are read from files: [WithClock] or [WithInsecureFiles]; of stores, also
// [WithSealingKey] and [WithUnsealedAccepted].
type FileOption interface{ setFile(f *fileOptions) error }

type fileOptions struct {
	now      func() time.Time
	insecure bool

	seals    seals.Seals
	unsealed bool // is accepted
}

func newFileOptions(opts []FileOption) (f fileOptions, err error) {
	f.now = time.Now
	for _, opt := range opts {
		if opt == nil {
			return f, check(false, "option", "must not be nil")
		}
		if err := opt.setFile(&f); err != nil {
			return f, err
		}
	}
	return f, nil
}

// notSealed refuses options of stores for what is none.
func (f fileOptions) notSealed() error {
	return check(!f.seals.On() && !f.unsealed, "sealing key", "is for stores, not for rules and pins")
}

func (c ClockOption) setFile(f *fileOptions) (err error) {
	f.now, err = clock([]ClockOption{c})
	return err
}

// InsecureFilesOption accepts files that others can write; see [WithInsecureFiles].
type InsecureFilesOption struct{}

// WithInsecureFiles accepts files that other users of the machine could have written. Use it if permissions do not mean what
// they say: for a volume mounted read-only, or a container with a single user. Whoever can write to the files decides what is
// approved. [New] accepts this option for pins. On Windows nothing is ever refused, because permissions there are not checked.
// Default: rules, pins, stores and audit logs are refused if they, or a folder or symbolic link on the way to them, belong to
// somebody other than this user or root, or can be written by others.
func WithInsecureFiles() InsecureFilesOption { return InsecureFilesOption{} }

func (InsecureFilesOption) set(a *Approver) error        { a.insecure = true; return nil } //nolint:unparam // the interface says so
func (InsecureFilesOption) setLog(l *AuditLog) error     { l.insecure = true; return nil } //nolint:unparam // the interface says so
func (InsecureFilesOption) setFile(f *fileOptions) error { f.insecure = true; return nil }

// checkFile refuses a file that others could have written.
func checkFile(path string, insecure bool) error {
	if insecure {
		return nil
	}
	return durable.CheckWriters(path)
}
