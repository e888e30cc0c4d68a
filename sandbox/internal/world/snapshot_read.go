package world

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"
)

var errNoWorld = errors.New("this is no world of a sandbox")

// block is a part of a snapshot: whole lines.
type block struct {
	text  []byte
	lines []line
	ends  []int // where each line ends, without its newline
	err   error // of the line that comes after those
	done  chan struct{}
}

// reading is a snapshot that is being read: what is found in it, and what has to wait for its end.
type reading struct {
	st    *state
	keys  []json.RawMessage
	count int // lines so far
	sum   hash.Hash
	ended bool

	transactions int // that the head says
	movements    []movement
	swaps        map[uint32]*txLine
}

// readState reads a snapshot: all of it or, with an error that names the line, nothing. Lines are decoded by as many goroutines as
// there are processors, and taken in their order by this one.
func readState(from io.Reader) (*state, []json.RawMessage, error) {
	r := &reading{st: newState(0), sum: sha256.New(), swaps: map[uint32]*txLine{}}
	todo, inOrder, stop := make(chan *block), make(chan *block, 2*runtime.GOMAXPROCS(0)), make(chan struct{})
	defer close(stop)
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for b := range todo {
				b.decode()
				close(b.done)
			}
		}()
	}
	var broken error // of the file; it is looked at when inOrder is closed
	go func() {
		defer close(inOrder)
		defer close(todo)
		broken = eachBlock(from, func(text []byte) bool {
			b := &block{text: text, done: make(chan struct{})}
			for _, to := range []chan *block{inOrder, todo} {
				select {
				case to <- b:
				case <-stop:
					return false
				}
			}
			return true
		})
	}()
	for b := range inOrder {
		<-b.done
		if err := r.take(b); err != nil {
			return nil, nil, fmt.Errorf("line %d: %w", r.count+1, err)
		}
	}
	switch {
	case broken != nil:
		return nil, nil, fmt.Errorf("after line %d: %w", r.count, broken)
	case !r.ended:
		return nil, nil, fmt.Errorf("after line %d: it ends before its end: it was cut", r.count)
	}
	if len(r.st.txs.rows) != r.transactions {
		return nil, nil, fmt.Errorf("line 1: it has %d transactions, and says %d", len(r.st.txs.rows), r.transactions)
	}
	if err := r.finish(); err != nil {
		return nil, nil, err
	}
	return r.st, r.keys, nil
}

// eachBlock cuts a text into blocks.
func eachBlock(from io.Reader, take func([]byte) bool) error {
	var rest []byte
	for {
		text := make([]byte, max(chunkSize, 2*len(rest)))
		n := copy(text, rest)
		more, err := io.ReadFull(from, text[n:])
		text = text[:n+more]
		end := bytes.LastIndexByte(text, '\n') + 1
		if end > 0 && !take(text[:end:end]) {
			return nil
		}
		switch rest = text[end:]; {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF) && len(rest) == 0:
			if len(rest) > 0 {
				return errors.New("the last line does not end: it was cut")
			}
			return nil
		case errors.Is(err, io.ErrUnexpectedEOF):
			return errors.New("the last line does not end: it was cut")
		case err != nil:
			return err
		case len(rest) > 1<<28:
			return errors.New("a line is too long")
		}
	}
}

func (b *block) decode() {
	decoder := json.NewDecoder(bytes.NewReader(b.text))
	decoder.DisallowUnknownFields() // what a later version has written must not be lost without a word
	for at := 0; at < len(b.text); {
		end := at + bytes.IndexByte(b.text[at:], '\n')
		var l line
		if err := decoder.Decode(&l); err != nil { //nolint:musttag // what events have too is as they have it
			b.err = fmt.Errorf("it is damaged, or of a later version: %w", err)
			return
		}
		if decoder.InputOffset() != int64(end) {
			b.err = errors.New("it is not one value of JSON")
			return
		}
		b.lines, b.ends = append(b.lines, l), append(b.ends, end)
		at = end + 1
	}
}

// take takes the lines of a block.
func (r *reading) take(b *block) error {
	r.st.txs.chunks = append(r.st.txs.chunks, b.text)
	from := 0
	for i := range b.lines {
		if r.ended {
			return errors.New("something comes after the end")
		}
		if err := r.line(&b.lines[i], b.text, from, b.ends[i]); err != nil {
			return err
		}
		from = b.ends[i] + 1
		r.count++
	}
	if !r.ended {
		_, _ = r.sum.Write(b.text)
	}
	return b.err
}

func (r *reading) line(l *line, text []byte, from, end int) error {
	if r.count == 0 && l.Head == nil {
		return errNoWorld
	}
	st := r.st
	switch {
	case l.Head != nil:
		return r.head(l.Head)
	case l.Key != nil:
		r.keys = append(r.keys, l.Key)
	case l.Master != nil:
		l.Master.apply(st, time.Time{})
	case l.User != nil:
		there := st.users[string(l.User.ID)] != nil || st.userByEmail[strings.ToLower(l.User.Email)] != nil
		if err := newID("user", string(l.User.ID), there); err != nil {
			return err
		}
		l.User.apply(st, time.Time{})
	case l.CoreClient != nil:
		if err := newID("core client", string(l.CoreClient.ID), st.coreClients[l.CoreClient.ID] != nil); err != nil {
			return err
		}
		l.CoreClient.apply(st, l.CoreClient.Created.Time)
	case l.Exchange != nil:
		l.Exchange.apply(st, time.Time{})
	case l.Company != nil:
		if err := newID("company", string(l.Company.ID), st.companies[l.Company.ID] != nil); err != nil {
			return err
		}
		l.Company.apply(st, time.Time{})
		for _, p := range l.Company.Parties {
			st.companies[l.Company.ID].Parties = append(st.companies[l.Company.ID].Parties, &Party{p.partyAdded, p.Created.Time, p.Joined})
		}
	case l.Fund != nil:
		if st.companies[l.Fund.CompanyID] == nil {
			return fmt.Errorf("there is no company %s", l.Fund.CompanyID)
		}
		if err := newID("fund", string(l.Fund.ID), st.funds[l.Fund.ID] != nil); err != nil {
			return err
		}
		l.Fund.apply(st, time.Time{})
		st.funds[l.Fund.ID].Whitelist = l.Fund.Whitelist
	case l.Wallet != nil:
		return r.wallet(l.Wallet)
	case l.Policy != nil:
		return st.txs.addPolicy(l.Policy)
	case l.Tx != nil:
		return r.tx(l.Tx, from, end)
	case l.Hub != nil:
		for _, number := range l.Hub {
			tx := st.txs.open[number]
			if tx == nil || tx.Kind != KindSwapMake || slices.Contains(st.hub, tx) {
				return fmt.Errorf("transaction %d is no quote", number)
			}
			st.hub = append(st.hub, tx)
		}
	case l.End != nil:
		_, _ = r.sum.Write(text[:from])
		r.ended = true
		right := mustJSON(line{End: &endLine{r.count, hex.EncodeToString(r.sum.Sum(nil))}})
		if !bytes.Equal(text[from:end], right) {
			return errors.New("what comes before is not what was written: it was damaged, or changed by hand")
		}
	default:
		return errors.New("it says nothing")
	}
	return nil
}

// newID refuses what has no ID, or is there already.
func newID(what, id string, there bool) error {
	switch {
	case id == "":
		return fmt.Errorf("a %s has no ID", what)
	case there:
		return fmt.Errorf("duplicate %s %s", what, id)
	}
	return nil
}

func (r *reading) head(h *headLine) error {
	switch {
	case r.count > 0:
		return errors.New("a second head")
	case h.Format != snapshotFormat:
		return errNoWorld
	case h.Version != snapshotVersion:
		return fmt.Errorf("it has version %d of the form, and this program reads version %d", h.Version, snapshotVersion)
	}
	r.transactions = h.Transactions
	r.st.commits, r.st.offset, r.st.at = h.Commits, time.Duration(h.Advanced), h.Changed.Time
	if r.st.seedless = h.Seed == nil; h.Seed != nil {
		r.st.seed = *h.Seed
	}
	return nil
}

func (r *reading) wallet(l *walletLine) error {
	f := r.st.funds[l.FundID]
	if f == nil {
		return fmt.Errorf("there is no fund %s", l.FundID)
	}
	for _, c := range l.Connect {
		if r.st.coreClients[c.coreClient()] == nil {
			return fmt.Errorf("there is no core client %s", c.CounterpartyID)
		}
	}
	there := r.st.wallets[l.ID] != nil || r.st.byAddress[addressKey(l.Address)] != nil
	if err := newID("wallet", string(l.ID), there); err != nil {
		return err
	}
	walletsAdded{f.ID, []walletAdded{l.walletAdded}}.apply(r.st, time.Time{})
	return nil
}
