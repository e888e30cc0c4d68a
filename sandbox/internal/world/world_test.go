package world

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

const (
	account = "ours"
	alice   = "alice@example.com"
	btc     = qredo.AssetCode("BTC")
)

var by = Caller{Account: account, Key: "key"}

// memory is a store that ends with the test, and fails when it is told to.
type memory struct {
	snapshot []byte
	records  [][]byte
	fails    error
	unsynced error // what Sync fails with
	synced   int   // how many records were there at the last Sync
}

func (m *memory) Load(snapshot func(io.Reader) error, record func([]byte) error) error {
	if m.snapshot != nil {
		if err := snapshot(bytes.NewReader(m.snapshot)); err != nil {
			return err
		}
	}
	for _, r := range m.records {
		if err := record(r); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) Append(record []byte) error {
	if m.fails == nil {
		m.records = append(m.records, record)
	}
	return m.fails
}

func (m *memory) Sync() error {
	if m.unsynced == nil {
		m.synced = len(m.records)
	}
	return m.unsynced
}

func (*memory) Grown() bool { return false }

func (*memory) Fold() (func(func(io.Writer) error) error, error) { return nil, errors.ErrUnsupported }

func (m *memory) Replace(write func(io.Writer) error) error {
	if m.fails != nil {
		return m.fails
	}
	var b bytes.Buffer
	err := write(&b)
	m.snapshot, m.records = b.Bytes(), nil
	return err
}

func (m *memory) Close() error { return m.fails }

// lab is a world with a company that has a fund of two wallets, whose transfers Alice approves.
type lab struct {
	*World
	t        *testing.T
	clock    time.Time
	store    *memory
	changes  int // how often it was told of one
	company  qredo.CompanyID
	from, to qredo.WalletID
}

func open(t *testing.T, m *memory) *lab {
	t.Helper()
	l := &lab{t: t, clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), store: m}
	var err error
	l.World, err = New(Config{
		Clock: func() time.Time { return l.clock }, Seed: 7, Store: m, Changed: func(Changes) { l.changes++ },
		Choices: Choices{Fees: func(qredo.FeeType, qredo.AssetCode, qredo.Amount) qredo.Amount { return 1 }},
		Assets:  []qredo.Asset{{Code: btc, Scale: 100_000_000}},
	})
	require.NoError(t, err)
	return l
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := open(t, &memory{})
	var user Person
	l.must(func(u *Update) (err error) {
		user, err = u.CreateUser(Person{Email: alice})
		return err
	})
	l.must(func(u *Update) (err error) {
		l.company, err = u.CreateCompany(account, Profile{Name: "Acme", Domain: "acme.example"})
		return err
	})
	l.must(func(u *Update) error { return u.AddTrustedParties(l.our(u), []string{alice}) })
	l.must(func(u *Update) error { return u.Accept(alice, l.company) })
	group := &Group{Threshold: 1, Members: []qredo.TrustedEntityID{user.ID}}
	l.must(func(u *Update) error {
		_, err := u.CreateFund(l.our(u), NewFund{Name: "Fund", Withdraw: group, Tx: group, Wallets: []NewWallet{{Asset: btc}, {Asset: btc}}})
		return err
	})
	l.look(func(v *View) {
		wallets := v.Companies()[0].Funds[0].Wallets
		l.from, l.to = wallets[0].ID, wallets[1].ID
	})
	l.must(func(u *Update) error {
		_, err := u.Deposit(string(l.from), 1000, "")
		return err
	})
	return l
}

func (l *lab) our(u *Update) *Company {
	c, err := u.Company(account, l.company)
	require.NoError(l.t, err)
	return c
}

func (l *lab) must(f func(u *Update) error) {
	l.t.Helper()
	require.NoError(l.t, l.Update(f))
}

func (l *lab) look(f func(v *View)) {
	l.t.Helper()
	require.NoError(l.t, l.View(func(v *View) error { f(v); return nil }))
}

func (l *lab) transfer(amount qredo.Amount, partner qredo.PartnerTxID) (made Submission, err error) {
	err = l.Update(func(u *Update) (err error) {
		made, err = u.CreateTransfer(NewTransfer{
			Sending: Sending{
				By: by, Company: l.company, From: l.from, Send: qredo.AssetAmount{Asset: btc, Amount: amount},
				Expires: qredo.TimeOf(l.clock.Add(time.Hour)), Partner: partner,
			},
			To: string(l.to),
		})
		return err
	})
	return made, err
}

// amounts are what is in the two wallets, what is held in the first, and what was charged.
func (l *lab) amounts() string {
	l.t.Helper()
	text := ""
	l.look(func(v *View) {
		from, err := v.Wallet(account, string(l.from))
		require.NoError(l.t, err)
		to, err := v.Wallet(account, string(l.to))
		require.NoError(l.t, err)
		text = fmt.Sprint(v.Balance(from), v.Balance(to), v.Held(from), v.FeesOf(btc))
	})
	return text
}

func TestTransferIsHeldAndSettled(t *testing.T) {
	l := newLab(t)
	made, err := l.transfer(100, "p")
	require.NoError(t, err)
	assert.Equal(t, "1000 0 101 0", l.amounts())
	again, err := l.transfer(5, "p")
	require.NoError(t, err)
	assert.Equal(t, Submission{ID: made.ID, Kind: KindTransfer, Known: true}, again)
	l.must(func(u *Update) error { return u.Decide(alice, string(made.ID), custody.Approve) })
	assert.Equal(t, "899 100 0 1", l.amounts())
}

func TestViewLetsExpireWhatIsDue(t *testing.T) {
	l := newLab(t)
	made, err := l.transfer(100, "")
	require.NoError(t, err)
	status := func() (status qredo.TxStatus) {
		l.look(func(v *View) {
			c, err := v.Company(account, l.company)
			require.NoError(t, err)
			tx, err := v.Sent(c, string(made.ID), KindTransfer)
			require.NoError(t, err)
			status = tx.Status
		})
		return status
	}
	l.clock = l.clock.Add(time.Hour - time.Nanosecond)
	assert.Equal(t, qredo.TxPending, status())
	l.must(func(u *Update) error { return u.Advance(time.Nanosecond) })
	assert.Equal(t, l.clock.Add(time.Nanosecond), l.Now())
	assert.Equal(t, qredo.TxExpired, status())
	assert.Equal(t, "1000 0 0 0", l.amounts())
}

// An update that ends with an error changes nothing of what it asked for before that.
func TestUpdateIsWholeOrNothing(t *testing.T) {
	l := newLab(t)
	kept, told := len(l.store.records), l.changes
	failure := errors.New("after all")
	require.ErrorIs(t, l.Update(func(u *Update) error {
		_, err := u.CreateUser(Person{Email: "bob@example.com"})
		require.NoError(t, err)
		return failure
	}), failure)
	l.store.fails = failure
	_, err := l.transfer(100, "p")
	require.ErrorIs(t, err, failure)
	assert.Len(t, l.store.records, kept)
	assert.Equal(t, told, l.changes)
	assert.Equal(t, "1000 0 0 0", l.amounts())
	l.look(func(v *View) { assert.Len(t, v.Users(), 1) })

	l.store.fails = nil
	made, err := l.transfer(100, "p")
	require.NoError(t, err)
	assert.False(t, made.Known, "what was not stored was not made")
	assert.Equal(t, told+1, l.changes)
}

// refusal gives the kind of a refusal, 0 if it is none.
func refusal(err error) ErrorKind {
	var refused *Error
	if errors.As(err, &refused) {
		return refused.Kind
	}
	return 0
}

func TestRefusals(t *testing.T) {
	l := newLab(t)
	require.NoError(t, l.Update(func(u *Update) error {
		_, err := u.CreateCoreClient("theirs", "")
		return err
	}))
	for name, test := range map[string]struct {
		command func(u *Update) error
		want    ErrorKind
	}{
		"a user that is there": {func(u *Update) error {
			_, err := u.CreateUser(Person{Email: "ALICE@example.com"})
			return err
		}, Conflict},
		"another account's company": {func(u *Update) error {
			_, err := u.Company("theirs", l.company)
			return err
		}, NotFound},
		"no name": {func(u *Update) error {
			_, err := u.CreateCompany(account, Profile{Name: " "})
			return err
		}, Invalid},
		"a clock that goes back": {func(u *Update) error { return u.Advance(-time.Second) }, Invalid},
		"another's signature": {func(u *Update) error {
			return u.CheckSignature(u.CoreClients("theirs")[0].ID, []byte("hash"), make([]byte, 64))
		}, Forbidden},
	} {
		assert.Equal(t, test.want, refusal(l.Update(test.command)), name)
	}
	_, err := l.transfer(1000, "")
	assert.Equal(t, Invalid, refusal(err))
	require.EqualError(t, err, "the wallet's balance 1000 is less than 1001")
}

func TestReplayMakesTheSameWorld(t *testing.T) {
	l := newLab(t)
	made, err := l.transfer(100, "p")
	require.NoError(t, err)
	l.must(func(u *Update) error { return u.Decide(alice, string(made.ID), custody.Approve) })
	_, err = l.transfer(10, "q")
	require.NoError(t, err)

	again := open(t, l.store)
	again.company, again.from, again.to = l.company, l.from, l.to
	assert.Equal(t, "899 100 11 1", l.amounts())
	assert.Equal(t, l.amounts(), again.amounts())
	known, err := again.transfer(10, "p")
	require.NoError(t, err)
	assert.Equal(t, made.ID, known.ID)
	fresh, err := again.transfer(10, "r")
	require.NoError(t, err)
	other, err := l.transfer(10, "r")
	require.NoError(t, err)
	assert.Equal(t, other.ID, fresh.ID, "the identifiers go on as if it had not ended")
}

func TestSameSeedMakesTheSameIdentifiers(t *testing.T) {
	one, two := newLab(t), newLab(t)
	assert.Equal(t, one.store.records, two.store.records)
}

func TestReset(t *testing.T) {
	l := newLab(t)
	failure := errors.New("the disk is full")
	l.store.fails = failure
	require.ErrorIs(t, l.Reset(), failure)
	l.look(func(v *View) {
		assert.Zero(t, v.Epoch)
		assert.Len(t, v.Companies(), 1)
	})
	l.store.fails = nil
	require.NoError(t, l.Reset())
	l.look(func(v *View) {
		assert.Equal(t, 1, v.Epoch, "who keeps a place in a log sees that it is gone")
		assert.Empty(t, v.Companies())
	})
	assert.Empty(t, l.store.records)
}

// A panic must not be the end of the sandbox: the one request fails.
func TestAPanicLeavesNoLock(t *testing.T) {
	w, err := New(Config{Clock: time.Now, Changed: func(Changes) {}})
	require.NoError(t, err)
	for _, f := range []func(*Update) error{func(*Update) error { panic("checking") }, func(u *Update) error { u.changes = append(u.changes, nil); return nil }} {
		assert.Panics(t, func() { _ = w.Update(f) })
		require.True(t, w.mu.TryLock(), "readers and the next change need it")
		w.mu.Unlock()
		require.NoError(t, w.Update(func(*Update) error { return nil }))
	}
}
