package redis

import (
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/approver/internal/seals"
)

// overLimit reads the script's answer that a spend does not fit.
func overLimit(spends []approver.Spend, answer string) error {
	var n int
	var sum parts
	var count int64
	if _, err := fmt.Sscan(answer, &n, &sum[0], &sum[1], &sum[2], &count); err != nil || n < 1 || n > len(spends) {
		return fmt.Errorf("redis: the script answered %q", answer)
	}
	return &approver.OverLimitError{Spend: spends[n-1], Used: approver.Usage{Amount: amount(sum.number()), Count: count}}
}

// parts are those of a sum as the script has it, of 32 bits each.
type parts [3]int64

func (p parts) number() *big.Int {
	n := new(big.Int)
	for _, part := range p {
		n.Add(n.Lsh(n, 32), big.NewInt(part))
	}
	return n
}

// partsOf is the reverse of number.
func partsOf(sum *big.Int) (p parts) {
	low := big.NewInt(half - 1)
	for i := len(p) - 1; i >= 0; i-- {
		p[i] = new(big.Int).And(sum, low).Int64()
		sum = new(big.Int).Rsh(sum, 32)
	}
	return p
}

// amount is a sum. One beyond 64 bits stays at the largest.
func amount(sum *big.Int) int64 {
	if !sum.IsInt64() {
		return math.MaxInt64
	}
	return sum.Int64()
}

// entry is what an action has spent, as the script writes it.
type entry struct {
	at     int64 // the score
	number int64
	sum    parts // with the amount
	amount parts
	keep   int64 // microseconds
}

// readEntry reads an entry of a counter. Entries of earlier versions have no keep.
func (s *Store) readEntry(counter string, z redis.Z) (e entry, err error) {
	member, ok := z.Member.(string)
	if !ok {
		return e, fmt.Errorf("an entry is a %T", z.Member)
	}
	e.at = int64(z.Score)
	text := member
	if s.seals.On() {
		var seal string
		if at := strings.LastIndex(member, ":"); at >= 0 {
			text, seal = member[:at], member[at+1:]
		}
		sum, _ := hex.DecodeString(seal) // what is none is no seal
		if err := s.seals.Check(seals.Spent, counter, sealedEntry(e.at, text), sum); err != nil {
			return e, err
		}
	}
	n, err := fmt.Sscanf(text, "%d:%d.%d.%d:%d.%d:%d", &e.number, &e.sum[0], &e.sum[1], &e.sum[2], &e.amount[1], &e.amount[2], &e.keep)
	if n == 6 {
		err = nil
	}
	return e, err
}

// sealedEntry is what the seal of an entry is of.
func sealedEntry(at int64, text string) []byte { return fmt.Appendf(nil, "%d %s", at, text) }

// Usage implements [approver.Store].
func (s *Store) Usage(ctx context.Context, spends []approver.Spend) ([]approver.Usage, error) {
	if err := approver.CheckSpends(spends); err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	now, err := s.clock(ctx)
	if err != nil {
		return nil, err
	}
	used := make([]approver.Usage, len(spends))
	for i, spend := range spends {
		if used[i], err = s.used(ctx, spend, now); err != nil {
			return nil, fmt.Errorf("redis: counter %s: %w", spend.Counter, err)
		}
	}
	return used, nil
}

// used is what the script's function of that name returns.
func (s *Store) used(ctx context.Context, spend approver.Spend, now time.Time) (u approver.Usage, err error) {
	key, after := s.counterKey(spend.Counter), fmt.Sprintf("(%d", now.Add(-spend.Window).UnixMicro())
	var first, last *redis.ZSliceCmd
	_, err = s.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		first = p.ZRangeArgsWithScores(ctx, redis.ZRangeArgs{Key: key, ByScore: true, Start: after, Stop: "+inf", Count: 1})
		last = p.ZRangeWithScores(ctx, key, -1, -1)
		return nil
	})
	if err != nil || len(first.Val()) == 0 || len(last.Val()) == 0 {
		return u, err
	}
	from, err := s.readEntry(spend.Counter, first.Val()[0])
	if err != nil {
		return u, err
	}
	to, err := s.readEntry(spend.Counter, last.Val()[0])
	return between(from, to), err
}

// between is what a counter holds from an entry to its last one.
func between(from, to entry) approver.Usage {
	sum := to.sum.number()
	sum.Sub(sum, from.sum.number()).Add(sum, from.amount.number())
	return approver.Usage{Amount: amount(sum), Count: to.number - from.number + 1}
}

// clock is the time that windows roll by.
func (s *Store) clock(ctx context.Context) (time.Time, error) {
	if s.now != nil {
		return s.now(), nil
	}
	now, err := s.client.Time(ctx).Result()
	if err != nil {
		return now, fmt.Errorf("redis: %w", err)
	}
	return now, nil
}
