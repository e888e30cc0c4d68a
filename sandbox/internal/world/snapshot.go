package world

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"slices"

	"github.com/qredo-go/qredo"
)

// A snapshot is a world as text: lines of JSON, each an object with one key that says what the line is. It begins with the
// head and ends with a digest of everything before. The same state always gives the same text: things are in the order of
// their creation if the state has one, otherwise sorted by ID, and nothing is written that follows from the rest. The store,
// exports and memory (see txTable) share this form.

const (
	snapshotFormat  = "qredo sandbox world"
	snapshotVersion = 1
)

// line is a line of a snapshot, in the order in which they come.
type line struct {
	Head       *headLine       `json:"world,omitzero"`
	Key        json.RawMessage `json:"key,omitzero"` // not of the state: what who exports it adds
	Master     *masterDrawn    `json:"master,omitzero"`
	User       *userCreated    `json:"user,omitzero"`
	CoreClient *coreClientLine `json:"core_client,omitzero"`
	Exchange   *exchangeListed `json:"exchange,omitzero"`
	Company    *companyLine    `json:"company,omitzero"`
	Fund       *fundLine       `json:"fund,omitzero"`
	Wallet     *walletLine     `json:"wallet,omitzero"`
	Policy     json.RawMessage `json:"policy,omitzero"`
	Tx         *txLine         `json:"tx,omitzero"`
	Hub        []uint32        `json:"hub,omitzero"`
	End        *endLine        `json:"end,omitzero"`
}

type headLine struct {
	Format   string  `json:"format"`
	Version  int     `json:"version"`
	Seed     *uint64 `json:"seed,omitzero"` // not in what is exported without secrets: private keys follow from it
	Commits  uint64  `json:"commits"`       // with the seed, the place of the identifiers to come
	Changed  moment  `json:"changed,omitzero"`
	Advanced int64   `json:"advanced"` // the clock, in nanoseconds

	Transactions int `json:"transactions"`
}

type endLine struct {
	Lines  int    `json:"lines"` // before this one
	SHA256 string `json:"sha256"`
}

type coreClientLine struct {
	coreClientCreated
	Created moment
}

type companyLine struct {
	companyCreated
	Parties []partyLine `json:",omitzero"`
}

type partyLine struct {
	partyAdded
	Created moment
	Joined  bool
}

type fundLine struct {
	fundCreated
	Whitelist []WhitelistedAddress `json:",omitzero"`
}

type walletLine struct {
	FundID qredo.FundID
	walletAdded
}

// Snapshot is a world at a moment. It can be written while the world changes further.
type Snapshot struct {
	head, before, after []byte // the lines around those of transactions
	rows                []txRow
	chunks              [][]byte
	open                map[uint32][]byte
}

// Snapshot takes the world as it is, after what has expired by now has done so. Only what waits is written down at once: the lines of
// what has ended are there already.
func (w *World) Snapshot() (*Snapshot, error) { return w.take(withSecrets) }

// Public takes the world without what signs or proves who somebody is, and without the seed, from which private keys follow.
func (w *World) Public() (*Snapshot, error) { return w.take(withoutSecrets) }

func (w *World) take(has secrets) (s *Snapshot, err error) {
	err = w.View(func(v *View) error {
		s = v.snapshot(has)
		return nil
	})
	return s, err
}

// secrets says whether a snapshot has them.
type secrets bool

const (
	withSecrets    secrets = true
	withoutSecrets secrets = false
)

// Transactions reads how many transactions there are in a snapshot, from its first line.
func Transactions(from *bufio.Reader) (int, error) {
	text, err := from.ReadBytes('\n')
	if err != nil {
		return 0, err
	}
	var l line
	if err := json.Unmarshal(text, &l); err != nil || l.Head == nil { //nolint:musttag // as in events
		return 0, errNoWorld
	}
	return l.Head.Transactions, nil
}

func (st *state) snapshot(has secrets) *Snapshot {
	s := &Snapshot{
		rows: slices.Clone(st.txs.rows), chunks: slices.Clone(st.txs.chunks), open: make(map[uint32][]byte, len(st.txs.open)),
	}
	head := &headLine{
		Format: snapshotFormat, Version: snapshotVersion, Commits: st.commits, Advanced: int64(st.offset), Changed: moment{st.at}, Transactions: len(st.txs.rows),
	}
	if has {
		head.Seed = &st.seed
	}
	s.head = lines(line{Head: head})
	s.before = lines(st.entities(has)...)
	for number, tx := range st.txs.open {
		s.open[number] = st.encode(tx)
	}
	if len(st.hub) > 0 {
		numbers := make([]uint32, len(st.hub))
		for i, tx := range st.hub {
			numbers[i] = tx.number
		}
		s.after = lines(line{Hub: numbers})
	}
	return s
}

func lines(all ...line) []byte {
	var b bytes.Buffer
	for _, l := range all {
		b.Write(mustJSON(l))
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// entities are the lines of all but transactions.
func (st *state) entities(has secrets) (all []line) {
	if has && st.master != nil {
		all = append(all, line{Master: &masterDrawn{st.masterSeed}})
	}
	for _, id := range slices.Sorted(maps.Keys(st.users)) {
		all = append(all, line{User: &st.users[id].userCreated})
	}
	for _, id := range slices.Sorted(maps.Keys(st.coreClients)) {
		c := st.coreClients[id]
		l := &coreClientLine{c.coreClientCreated, moment{c.Created}}
		if !has {
			l.coreClientCreated = l.public()
		}
		all = append(all, line{CoreClient: l})
	}
	for i := range st.exchanges {
		all = append(all, line{Exchange: &st.exchanges[i]})
	}
	for _, c := range st.companyList {
		l := &companyLine{companyCreated: c.companyCreated}
		for _, p := range c.Parties {
			l.Parties = append(l.Parties, partyLine{p.partyAdded, moment{p.Created}, p.Accepted})
		}
		all = append(all, line{Company: l})
	}
	for _, f := range st.fundList {
		all = append(all, line{Fund: &fundLine{f.fundCreated, f.Whitelist}})
	}
	for _, w := range st.inOrder {
		l := &walletLine{w.Fund.ID, w.walletAdded}
		if !has {
			l.Key = nil
		}
		all = append(all, line{Wallet: l})
	}
	for _, p := range st.txs.policies {
		all = append(all, line{Policy: mustJSON(p)})
	}
	return all
}

// Write writes the snapshot.
func (s *Snapshot) Write(to io.Writer) error { return s.Export(to) }

// Export writes the snapshot with keys.
func (s *Snapshot) Export(to io.Writer, keys ...json.RawMessage) error {
	sum, count := sha256.New(), 0
	out := bufio.NewWriterSize(io.MultiWriter(to, sum), 256<<10)
	write := func(text []byte) {
		count += bytes.Count(text, []byte{'\n'})
		_, _ = out.Write(text) // the error comes with Flush
	}
	write(s.head)
	for _, key := range keys {
		write(lines(line{Key: key}))
	}
	write(s.before)
	for number, row := range s.rows {
		text, open := s.open[uint32(number)]
		if !open {
			text = row.line(s.chunks)
		}
		count++
		_, _ = out.Write(text)
		_ = out.WriteByte('\n')
	}
	write(s.after)
	if err := out.Flush(); err != nil {
		return err
	}
	_, err := to.Write(lines(line{End: &endLine{count, hex.EncodeToString(sum.Sum(nil))}}))
	return err
}
