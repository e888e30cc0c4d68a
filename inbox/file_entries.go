package inbox

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"slices"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/inbox/internal/exact"
)

// entry returns the entry with an ID, or nil.
func (t fileTx) entry(id string) (*Entry, error) {
	data, err := t.get(entriesTable, []byte(id))
	if err != nil || data == nil {
		return nil, err
	}
	var e Entry
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, t.damaged("what is stored under " + id + " is not an entry: " + err.Error())
	}
	return &e, nil
}

// find returns the entry with a name as its ID, or else as its alias, or nil.
func (t fileTx) find(name string) (*Entry, error) {
	e, err := t.entry(name)
	if e != nil || err != nil {
		return e, err
	}
	id, err := t.get(aliasesTable, []byte(name))
	if err != nil || id == nil {
		return nil, err
	}
	return t.entry(string(id))
}

// store stores an entry and updates its indexes.
func (t fileTx) store(e Entry) error {
	data, err := exact.JSON(e)
	if err != nil {
		return err
	}
	old, err := t.entry(e.ID)
	if err != nil {
		return err
	}
	now, before := rowsOf(e), []fileRow(nil)
	if old != nil {
		before = rowsOf(*old)
	}
	for _, r := range before {
		if !slices.ContainsFunc(now, r.sameKey) {
			if err := t.delete(r.table, r.key); err != nil {
				return err
			}
		}
	}
	for _, r := range now {
		if !slices.ContainsFunc(before, r.same) {
			if err := t.put(r.table, r.key, r.data); err != nil {
				return err
			}
		}
	}
	return t.put(entriesTable, []byte(e.ID), data)
}

// fileRow is an index row of an entry.
type fileRow struct{ table, key, data []byte }

func (r fileRow) sameKey(other fileRow) bool {
	return bytes.Equal(r.table, other.table) && bytes.Equal(r.key, other.key)
}

func (r fileRow) same(other fileRow) bool { return r.sameKey(other) && bytes.Equal(r.data, other.data) }

func rowsOf(e Entry) []fileRow {
	id, at := []byte(e.ID), timeBytes(e.Movement.Time)
	place := ordered(ordered(nil, e.Source), e.Movement.Wallet)
	rows := []fileRow{{statesTable, append(ordered(nil, e.State), id...), slices.Concat(at, place)}}
	if e.Alias != "" {
		rows = append(rows, fileRow{aliasesTable, []byte(e.Alias), id})
	}
	if e.State == StateReady {
		rows = append(rows, fileRow{readyTable, slices.Concat(place, at, id), nil})
	}
	if e.Movement.Moved {
		amount := binary.BigEndian.AppendUint64(nil, uint64(e.Movement.Amount)) //nolint:gosec // as it comes back
		rows = append(rows, fileRow{movedTable, slices.Concat(place, id), append(ordered(amount, e.State), e.Movement.Asset...)})
	}
	return rows
}

// placeIn reads an entry's row in the table of states.
func placeIn(data []byte) (at time.Time, source, wallet string) {
	if len(data) < 8 {
		return at, "", ""
	}
	source, rest := split(data[8:])
	wallet, _ = split(rest)
	return bytesTime(data), source, wallet
}

// timeBytes is a time as bytes that sort in time order.
func timeBytes(t time.Time) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(t.UnixMicro())^1<<63)
}

func bytesTime(b []byte) time.Time {
	return time.UnixMicro(int64(binary.BigEndian.Uint64(b) ^ 1<<63)).UTC() //nolint:gosec // as above
}

// source returns a source as it is in the file, which does not store the rest of its lease. An unknown source has no
// token.
func (t fileTx) source(id string) (s Source, err error) {
	data, err := t.get(sourcesTable, []byte(id))
	if err != nil || data == nil {
		return Source{ID: id}, err
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return s, t.damaged("what is stored of " + id + " is not a source: " + err.Error())
	}
	return s, nil
}

// held is source, if its lease has the given token.
func (t fileTx) held(of Source) (Source, error) {
	s, err := t.source(of.ID)
	if err == nil && (s.Token == 0 || s.Token != of.Token) {
		err = ErrLeaseLost
	}
	return s, err
}

func (t fileTx) storeSource(s Source) error {
	s.Until = time.Time{}
	data, err := exact.JSON(s)
	if err != nil {
		return err
	}
	return t.put(sourcesTable, []byte(s.ID), data)
}

// next returns what is to be handed over, as Next does.
func (t fileTx) next(source string, from qredo.WalletID, wallets, each int) (list []Entry, err error) {
	prefix := ordered(nil, source)
	for at := ordered(prefix[:len(prefix):len(prefix)], from); wallets > 0 && each > 0; wallets-- {
		n, first, after := 0, "", []byte(nil)
		err := t.each(readyTable, prefix, at, func(key, _ []byte) (bool, error) {
			wallet, rest := split(key[len(prefix):])
			if len(rest) < 8 {
				return false, t.damaged("an entry that is ready has no place")
			}
			if n == 0 {
				first, after = wallet, bytes.Clone(key[:len(key)-len(rest)])
				after[len(after)-1]++ // after all entries of this wallet
			}
			if n++; n > each || wallet != first {
				return false, nil
			}
			e, err := t.entry(string(rest[8:]))
			if err == nil && (e == nil || e.State != StateReady || string(e.Movement.Wallet) != wallet) {
				err = t.damaged("the order of what is ready does not go with the entries")
			}
			if err == nil {
				list = append(list, *e)
			}
			return true, err
		})
		if err != nil || after == nil {
			return list, err
		}
		at = after
	}
	return list, nil
}
