package approver

import (
	"time"

	"github.com/qredo-go/qredo/internal/durable"
)

// FileOption changes how rules, pins and stores are read from files: [WithClock], [WithInsecureFiles].
type FileOption interface{ setFile(f *fileOptions) error }

type fileOptions struct {
	now      func() time.Time
	insecure bool
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

func (c ClockOption) setFile(f *fileOptions) (err error) {
	f.now, err = clock([]ClockOption{c})
	return err
}

// InsecureFilesOption takes files that others can write; see [WithInsecureFiles].
type InsecureFilesOption struct{}

// WithInsecureFiles takes files that other users of the machine could have written. Unless given, rules, pins, stores and
// audit logs are refused that do not belong to this user or to root, or that others can write to, or so a folder or a symbolic link
// on the way to them. It is for where these are not what they seem: for a volume that is mounted read-only, or a container
// that has one user. Whoever can write to the files decides what is approved. [New] takes it for pins. On Windows nothing is refused:
// its permissions are not looked at.
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
