package redis

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/approver/internal/seals"
)

// draw gives a store that nobody has used an epoch, with the mark of a sealed one, unless another program does so at the same time.
func (s *Store) draw(ctx context.Context) error {
	epoch := rand.Text()
	values := []any{s.epochKey(), epoch}
	if s.seals.On() {
		values = append(values, s.markKey(), s.seals.Of(epoch).Mark())
	}
	return s.client.MSetNX(ctx, values...).Err()
}

// beginAnew gives a store that has lost its epoch another one. What it has was sealed for that one.
func (s *Store) beginAnew(ctx context.Context, before string) error {
	if !s.seals.On() {
		if before == "" {
			return s.client.SetNX(ctx, s.epochKey(), rand.Text(), 0).Err()
		}
		return s.client.Set(ctx, s.epochKey(), rand.Text(), 0).Err()
	}
	for _, begins := range []string{s.decisionKey(""), s.counterKey("")} {
		keys := s.client.Scan(ctx, 0, globbed.Replace(begins)+"*", 1000).Iterator()
		for keys.Next(ctx) {
			if err := s.client.Del(ctx, keys.Val()).Err(); err != nil {
				return err
			}
		}
		if err := keys.Err(); err != nil {
			return err
		}
	}
	epoch := rand.Text()
	return s.client.MSet(ctx, s.epochKey(), epoch, s.markKey(), s.seals.Of(epoch).Mark()).Err()
}

// checkSeals compares the store's mark with the key, and seals the store again if that is to be.
func (s *Store) checkSeals(ctx context.Context) error {
	mark, err := s.client.Get(ctx, s.markKey()).Bytes()
	if err != nil && !errors.Is(err, redis.Nil) {
		return err
	}
	s.seals = s.seals.Of(s.epoch)
	again, err := s.seals.Open(mark, s.unsealed)
	if err != nil || !again {
		return err
	}
	if err := s.sealAll(ctx, len(mark) == 0); err != nil {
		return err
	}
	return s.client.Set(ctx, s.markKey(), s.seals.Mark(), 0).Err()
}

// swapScript replaces a value, if it is what it was; moveScript does so with an entry of a counter.
var (
	swapScript = newScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
return 1`)
	moveScript = newScript(`
local at = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not at then return 0 end
redis.call('ZADD', KEYS[1], at, ARGV[2])
redis.call('ZREM', KEYS[1], ARGV[1])
return 1`)
)

// sealAll seals everything again that the first key has not sealed. With accepted, also what has no seal. Done in part, it can be done again.
func (s *Store) sealAll(ctx context.Context, accepted bool) error {
	decisions := s.client.Scan(ctx, 0, globbed.Replace(s.decisionKey(""))+"*", 1000).Iterator()
	for decisions.Next(ctx) {
		key := decisions.Val()
		if err := s.sealDecision(ctx, key, accepted); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	counters := s.client.Scan(ctx, 0, globbed.Replace(s.counterKey(""))+"*", 1000).Iterator()
	for counters.Next(ctx) {
		key := counters.Val()
		if err := s.sealCounter(ctx, key, accepted); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return errors.Join(decisions.Err(), counters.Err())
}

func (s *Store) sealDecision(ctx context.Context, key string, accepted bool) error {
	value, err := s.client.Get(ctx, key).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil // it has expired
	}
	if err != nil {
		return err
	}
	again, err := s.seals.Again(seals.Decision, strings.TrimPrefix(key, s.decisionKey("")), value, accepted && json.Valid(value))
	if err != nil || again == nil {
		return err
	}
	return swapScript.Run(ctx, s.client, []string{key}, value, again).Err()
}

func (s *Store) sealCounter(ctx context.Context, key string, accepted bool) error {
	entries, err := s.client.ZRangeWithScores(ctx, key, 0, -1).Result()
	if err != nil {
		return err
	}
	counter := strings.TrimPrefix(key, s.counterKey(""))
	for _, z := range entries {
		member, _ := z.Member.(string)
		at, text, seal := int64(z.Score), member, []byte(nil)
		if last := strings.LastIndex(member, ":"); last >= 0 && len(member)-last-1 == 2*seals.Size {
			text = member[:last]
			seal, _ = hex.DecodeString(member[last+1:]) // what is none is no seal
		}
		switch {
		case s.seals.Current(seals.Spent, counter, sealedEntry(at, text), seal):
			continue
		case s.seals.Check(seals.Spent, counter, sealedEntry(at, text), seal) != nil && (!accepted || text != member):
			return seals.Err
		}
		if err := moveScript.Run(ctx, s.client, []string{key}, member, s.sealEntry(counter, at, text)).Err(); err != nil {
			return err
		}
	}
	return nil
}

// sealEntry is the text of an entry with its seal.
func (s *Store) sealEntry(counter string, at int64, text string) string {
	return text + ":" + hex.EncodeToString(s.seals.Sum(seals.Spent, counter, sealedEntry(at, text)))
}

// looked is what a store has when a decision is about to be stored.
type looked struct {
	epoch, seq string
	decision   *redis.StringCmd
	first      []*redis.ZSliceCmd // of the window of each spend
	last       []*redis.ZSliceCmd
}

func (s *Store) lookAt(ctx context.Context, id qredo.ActionID, spends []approver.Spend, now int64) (l looked, err error) {
	var epoch, seq *redis.StringCmd
	_, err = s.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		epoch, seq, l.decision = p.Get(ctx, s.epochKey()), p.Get(ctx, s.seqKey()), p.Get(ctx, s.decisionKey(id))
		for _, spend := range spends {
			key, after := s.counterKey(spend.Counter), fmt.Sprintf("(%d", now-spend.Window.Microseconds())
			l.first = append(l.first, p.ZRangeArgsWithScores(ctx, redis.ZRangeArgs{Key: key, ByScore: true, Start: after, Stop: "+inf", Count: 1}))
			l.last = append(l.last, p.ZRangeWithScores(ctx, key, -1, -1))
		}
		return nil
	})
	if errors.Is(err, redis.Nil) {
		err = nil
	}
	l.epoch, l.seq = epoch.Val(), seq.Val()
	if l.seq == "" {
		l.seq = "0"
	}
	return l, err
}

// reserveSealed is Reserve for a store with a key. The limits are checked here: the server, which does not have the key, cannot tell what was counted from
// what somebody has put there. It stores all of it only if nothing was stored meanwhile; else this begins again.
func (s *Store) reserveSealed(ctx context.Context, rec approver.Record, spends []approver.Spend) (approver.Record, error) {
	known := rec.Seq
	for {
		stands, again, err := s.tryReserve(ctx, rec, known, spends)
		if !again {
			return stands, err
		}
		if err := ctx.Err(); err != nil {
			return approver.Record{}, about(rec.ActionID, err)
		}
	}
}

func (s *Store) tryReserve(ctx context.Context, rec approver.Record, known int64, spends []approver.Spend) (stands approver.Record, again bool, err error) {
	for _, spend := range spends {
		if spend.Amount < 0 {
			return stands, false, &approver.OverLimitError{Spend: spend}
		}
	}
	clock, err := s.clock(ctx)
	if err != nil {
		return stands, false, err
	}
	now := clock.UnixMicro()
	l, err := s.lookAt(ctx, rec.ActionID, spends, now)
	if err != nil {
		return stands, false, about(rec.ActionID, err)
	}
	last, err := strconv.ParseInt(l.seq, 10, 64)
	if err != nil {
		return stands, false, about(rec.ActionID, err)
	}
	rec.Seq = last + 1
	keys, args := []string{s.decisionKey(rec.ActionID), s.epochKey(), s.seqKey()}, []any{nil, s.keepFor(rec), s.epoch, l.seq}
	if l.epoch == s.epoch { // else the script says what is wrong
		if last < known {
			return stands, false, &approver.LostError{Before: s.epoch, Now: s.epoch, Known: known, Last: last}
		}
		if data, err := l.decision.Bytes(); err == nil {
			stands, err = s.decode(rec.ActionID, data)
			return stands, false, about(rec.ActionID, err)
		}
		counters, more, err := s.entries(l, spends, now)
		if err != nil {
			return stands, false, err
		}
		keys, args = append(keys, counters...), append(args, more...)
	}
	if args[0], err = s.encode(rec); err != nil {
		return stands, false, about(rec.ActionID, err)
	}
	answer, err := reserveSealedScript.Run(ctx, s.client, keys, args...).StringSlice()
	switch {
	case err != nil:
	case len(answer) == 2 && answer[0] == "stands":
		stands, err = s.decode(rec.ActionID, []byte(answer[1]))
	case len(answer) == 2 && answer[0] == "lost":
		return stands, false, s.lost(answer[1])
	case len(answer) == 2 && answer[0] == "again":
		return stands, true, nil
	default:
		err = fmt.Errorf("the script answered %q", answer)
	}
	return stands, false, about(rec.ActionID, err)
}

// entries checks the limits of spends, and returns the keys and arguments for what they add to counters, each once.
func (s *Store) entries(l looked, spends []approver.Spend, now int64) (keys []string, args []any, err error) {
	read := func(counter string, found []redis.Z) (e entry, err error) {
		if len(found) > 0 {
			if e, err = s.readEntry(counter, found[0]); err != nil {
				err = fmt.Errorf("redis: counter %s: %w", counter, err)
			}
		}
		return e, err
	}
	keep := approver.Retention(spends)
	for i, spend := range spends {
		to, err := read(spend.Counter, l.last[i].Val())
		if err != nil {
			return nil, nil, err
		}
		var used approver.Usage
		if found := l.first[i].Val(); len(found) > 0 {
			from, err := read(spend.Counter, found)
			if err != nil {
				return nil, nil, err
			}
			used = between(from, to)
		}
		if err := spend.Check(used); err != nil {
			return nil, nil, err
		}
		kept, first := keep[spend.Counter]
		if !first {
			continue
		}
		delete(keep, spend.Counter) // else it would be counted again with another window
		e := to.next(now, spend.Amount, kept.Microseconds())
		keys = append(keys, s.counterKey(spend.Counter))
		args = append(args, e.at, s.sealEntry(spend.Counter, e.at, e.text()), now-e.keep, int64(math.Ceil(float64(e.at-now+e.keep)/1000)))
	}
	return keys, args, nil
}

// next is the entry after e, at a time or, if the clock was set back, at that of e. It is kept for no less long than e: another replica may count with a
// longer window.
func (e entry) next(now, amount, keep int64) entry {
	n := entry{at: max(now, e.at), number: e.number + 1, amount: parts{0, amount / half, amount % half}, keep: max(keep, e.keep)}
	sum := e.sum.number()
	n.sum = partsOf(sum.Add(sum, n.amount.number()))
	return n
}

// text is an entry as the script reserve.lua writes it.
func (e entry) text() string {
	return fmt.Sprintf("%016d:%d.%d.%d:%d.%d:%d", e.number, e.sum[0], e.sum[1], e.sum[2], e.amount[1], e.amount[2], e.keep)
}
