package export

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/qredo-go/qredo"
)

// Funds reads pages of a fund's ledger. Client.Funds does.
type Funds interface {
	// ListLedger returns one page, as [qredo.FundsService.ListLedger] does. It is called by one goroutine at a time, which need not be
	// the one that exports: a page is read while the one before it is written.
	ListLedger(context.Context, qredo.CompanyID, qredo.FundID, qredo.LedgerOptions, ...qredo.CallOption) (*qredo.LedgerPage, error)
}

// Assets tells how assets are counted. Client.Assets does.
type Assets interface {
	// List returns all assets, as [qredo.AssetsService.List] does.
	List(context.Context, ...qredo.CallOption) ([]qredo.Asset, error)
}

// Selection is which entries are exported. Empty fields after Fund do not narrow it.
type Selection struct {
	Server    string          `json:"server"` // the base URL or any other name: an export of one server is not gone on with from another
	Company   qredo.CompanyID `json:"company"`
	Fund      qredo.FundID    `json:"fund"`
	Asset     qredo.AssetCode `json:"asset"`
	Wallet    qredo.WalletID  `json:"wallet"`
	Direction qredo.Direction `json:"direction"`
}

// Format is what a file is written as.
type Format string

// The formats.
const (
	CSV       Format = "csv"
	JSONLines Format = "jsonl"
)

// Progress is how far an export is.
type Progress struct {
	Entries int // in the file
	Total   int // in the ledger, as far as is known; 0 where the service does not say
	Resumed int // of those in the file, what an earlier run has left
	Back    int // entries that were just taken back, since the ledger has changed where they stand; they are read again
}

// Result is what an export has done.
type Result struct {
	Entries int // in the file
	Resumed int // of these, what an earlier run had left
	Back    int // how many were taken back and read again, in all
}

// Option changes how a ledger is exported. A wrong one is a [*qredo.ValidationError].
type Option func(*Ledger) error

// WithFormat sets the format. Default: CSV.
func WithFormat(f Format) Option {
	return func(l *Ledger) error {
		l.format = f
		return check(f == CSV || f == JSONLines, "format", "must be csv or jsonl, is %q", f)
	}
}

// WithPage sets how many entries are asked for at a time. Default: 1,000. A service may give fewer.
func WithPage(entries int) Option {
	return func(l *Ledger) error {
		l.page = max(entries, 2)
		return check(entries > 0, "page", "must be at least 1, is %d", entries)
	}
}

// WithZone adds columns to CSV that have times in a zone, with their offset from UTC.
func WithZone(zone *time.Location) Option {
	return func(l *Ledger) error { l.zone = zone; return check(zone != nil, "zone", "must not be nil") }
}

// WithReplace lets an export take the place of a file that exists, once it is complete.
func WithReplace() Option { return func(l *Ledger) error { l.replace = true; return nil } }

// WithProgress has a function told after each page, and when something is taken back. It is called by the goroutine that
// exports, which waits for it.
func WithProgress(tell func(Progress)) Option {
	return func(l *Ledger) error { l.tell = tell; return check(tell != nil, "progress", "must not be nil") }
}

func check(ok bool, field, rule string, args ...any) error {
	if ok {
		return nil
	}
	return &qredo.ValidationError{Field: field, Rule: fmt.Sprintf(rule, args...)}
}

// Ledger is a ledger that can be exported.
type Ledger struct {
	funds     Funds
	assets    Assets
	selection Selection
	format    Format
	page      int
	zone      *time.Location
	replace   bool
	tell      func(Progress)

	checkpoints time.Duration // how far apart they are
	now         func() time.Time
}

// New returns a ledger to export. Assets are needed for CSV, which has decimals, and may be nil for JSON lines.
func New(funds Funds, assets Assets, selection Selection, opts ...Option) (*Ledger, error) {
	l := &Ledger{
		funds: funds, assets: assets, selection: selection, format: CSV, page: 1000,
		tell: func(Progress) {}, checkpoints: time.Second, now: time.Now,
	}
	for _, opt := range opts {
		if err := opt(l); err != nil {
			return nil, err
		}
	}
	directions := []qredo.Direction{"", qredo.DirectionAll, qredo.DirectionIn, qredo.DirectionOut}
	for _, err := range []error{
		check(funds != nil, "funds", "must not be nil"),
		check(assets != nil || l.format != CSV, "assets", "must not be nil for CSV, which has decimals"),
		check(l.zone == nil || l.format == CSV, "zone", "is for CSV: JSON lines have times as the wire has them, in Unix seconds"),
		check(selection.Company != "" && selection.Fund != "", "selection", "must name a company and a fund"),
		check(slices.Contains(directions, selection.Direction), "direction", "must be all, in or out, is %q", selection.Direction),
	} {
		if err != nil {
			return nil, err
		}
	}
	return l, nil
}

// To writes the ledger to w. It assembles it in a temporary file first: an entry that was pending when it was read, and
// ended before the end was reached, is corrected there. So if it returns an error, it has written nothing, unless the
// error is w's.
func (l *Ledger) To(ctx context.Context, w io.Writer) (Result, error) {
	x, err := l.begin(ctx)
	if err != nil {
		return Result{}, err
	}
	defer x.stop()
	return x.to(ctx, w)
}

// ToFile writes the ledger to a file, which appears under its name when it is complete and on disk. Until then it is
// path.part, and path.part.json records the progress. After an error, or after the program was killed, call it again: it
// continues from there.
//
// If the file exists, it returns an error that matches [io/fs.ErrExist], unless you give [WithReplace]. If the progress
// is of another selection or format, if the checkpoint is damaged, or if another program exports to the same file, the
// error matches [ErrOther], [ErrDamaged] or [ErrInUse]; nothing is changed then.
func (l *Ledger) ToFile(ctx context.Context, path string) (Result, error) {
	x, err := l.begin(ctx)
	if err != nil {
		return Result{}, err
	}
	defer x.stop()
	return x.toFile(ctx, path)
}

func (l *Ledger) begin(ctx context.Context) (*run, error) {
	ctx, stop := context.WithCancel(ctx)
	x := &run{Ledger: l, rows: rows{format: l.format, zone: l.zone}, stop: stop}
	if l.format == CSV {
		assets, err := l.assets.List(ctx)
		if err != nil {
			stop()
			return nil, err
		}
		x.rows.assets = countable(assets)
	}
	x.reader = reader{limit: l.page, ask: func(offset, limit int) (*qredo.LedgerPage, error) {
		return l.funds.ListLedger(ctx, l.selection.Company, l.selection.Fund, qredo.LedgerOptions{
			Asset: l.selection.Asset, WalletID: l.selection.Wallet, Direction: l.selection.Direction, Offset: offset, Limit: limit,
		})
	}}
	return x, nil
}
