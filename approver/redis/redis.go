// Package redis lets several approvers work as one: replicas, of which another goes on when one dies. They
// share decisions, limits and who handles what in a Redis server:
//
//	store, err := redis.New(goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:6379"}), "approver:treasury")
//	…
//	a, err := approver.New(client, coreClientID, rules,
//		approver.WithStore(store), approver.WithCoordinator(store), approver.WithAuditLog(log), …)
//
// What holds, whenever a replica dies, is paused or cut off:
//
//   - An action is decided once. The decision and what it spends are stored in one step by a script, and
//     only if the action has no decision; whoever comes later, as a replica that was paused does, carries
//     out the one that stands.
//   - Limits hold for all replicas together, since that step checks them. Windows roll by the clock of the
//     Redis server, so that the replicas' clocks need not agree.
//   - One replica handles an action at a time, by a lease in Redis (redsync). When it dies another takes
//     over once the lease has ended. The lease saves work; what is above holds without it too.
//
// All that depends on Redis keeping what it was told. Run it with "appendonly yes", "appendfsync always"
// and "maxmemory-policy noeviction", as a single server: a failover to a replica that lags loses
// decisions and sums, and Redis Cluster is not supported for the same reason. Nobody but the approvers
// should have access to it. On Debian:
//
//	apt-get install redis-server
//	redis-server --bind 127.0.0.1 --port 6379 --appendonly yes --appendfsync always --maxmemory-policy noeviction
package redis

import (
	"context"
	_ "embed" // for the script
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/go-redsync/redsync/v4"
	"github.com/go-redsync/redsync/v4/redis/goredis/v9"
	"github.com/redis/go-redis/v9"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

//go:embed reserve.lua
var reserveSource string

var reserveScript = redis.NewScript(reserveSource)

// finishScript replaces a decision and leaves its time to live as it is.
var finishScript = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'KEEPTTL')
return 1`)

// Store is an [approver.Store] and an [approver.Coordinator] in a Redis server.
type Store struct {
	client redis.UniversalClient
	prefix string
	lease  time.Duration
	now    func() time.Time // nil for the clock of the server
	locks  *redsync.Redsync
}

// Option changes how a [Store] works.
type Option func(*Store) error

// WithLease sets for how long a replica has an action without a sign of life; 10 seconds unless given. That
// is how long it takes until another goes on after a replica has died.
func WithLease(d time.Duration) Option {
	return func(s *Store) error {
		s.lease = d
		return check(d >= 10*time.Millisecond, "lease", "must be at least 10ms, is %s", d)
	}
}

// WithClock makes windows roll by the caller's clock; unless given, by that of the Redis server. It is for
// tests: with several replicas their clocks would have to agree.
func WithClock(now func() time.Time) Option {
	return func(s *Store) error { s.now = now; return check(now != nil, "clock", "must not be nil") }
}

// check returns a [*qredo.ValidationError] unless something is as it must be.
func check(ok bool, field, rule string, args ...any) error {
	if ok {
		return nil
	}
	return &qredo.ValidationError{Field: field, Rule: fmt.Sprintf(rule, args...)}
}

// New returns a store whose keys begin with a prefix. Approvers with the same prefix share decisions and
// limits. A wrong option is a [*qredo.ValidationError].
func New(client redis.UniversalClient, prefix string, opts ...Option) (*Store, error) {
	if client == nil || prefix == "" {
		return nil, check(false, "store", "needs a client and a prefix")
	}
	s := &Store{client: client, prefix: prefix, lease: 10 * time.Second, locks: redsync.New(goredis.NewPool(client))}
	for _, opt := range opts {
		if opt == nil {
			return nil, check(false, "option", "must not be nil")
		}
		if err := opt(s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Store) decisionKey(id qredo.ActionID) string { return s.prefix + ":decision:" + string(id) }
func (s *Store) lockKey(id qredo.ActionID) string     { return s.prefix + ":lock:" + string(id) }
func (s *Store) counterKey(counter string) string     { return s.prefix + ":spent:" + counter }

// Lookup implements [approver.Store].
func (s *Store) Lookup(ctx context.Context, id qredo.ActionID) (approver.Record, bool, error) {
	data, err := s.client.Get(ctx, s.decisionKey(id)).Bytes()
	if errors.Is(err, redis.Nil) {
		return approver.Record{}, false, nil
	}
	var rec approver.Record
	if err == nil {
		err = json.Unmarshal(data, &rec)
	}
	return rec, err == nil, about(id, err)
}

// about says which decision an error is about, if there is one.
func about(id qredo.ActionID, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("redis: decision about %s: %w", id, err)
}

// spendArgs is an [approver.Spend] as the script takes it.
type spendArgs struct {
	Key      int   `json:"key"` // index of the counter's key, from 1
	High     int64 `json:"high"`
	Low      int64 `json:"low"`
	Keep     int64 `json:"keep"`   // microseconds
	Window   int64 `json:"window"` // microseconds
	MaxHigh  int64 `json:"maxHigh"`
	MaxLow   int64 `json:"maxLow"`
	MaxCount int64 `json:"maxCount"`
}

const half = 1 << 32

// keepRecord is for how long a decision is kept after its action has expired.
const keepRecord = 24 * time.Hour

// Reserve implements [approver.Store].
func (s *Store) Reserve(ctx context.Context, rec approver.Record, spends []approver.Spend) (stands approver.Record, err error) {
	data, err := json.Marshal(rec)
	if err != nil {
		return stands, about(rec.ActionID, err)
	}
	keys, args, err := s.spendArgs(rec.ActionID, spends)
	if err != nil {
		return stands, err
	}
	list, err := json.Marshal(args)
	if err != nil {
		return stands, about(rec.ActionID, err)
	}
	now := ""
	if s.now != nil {
		now = strconv.FormatInt(s.now().UnixMicro(), 10)
	}
	answer, err := reserveScript.Run(ctx, s.client, keys, data, s.keepFor(rec), now, string(rec.ActionID), list).StringSlice()
	switch {
	case err != nil:
	case len(answer) == 2 && answer[0] == "stands":
		err = json.Unmarshal([]byte(answer[1]), &stands)
	case len(answer) == 2 && answer[0] == "over":
		return stands, overLimit(spends, answer[1])
	default:
		err = fmt.Errorf("the script answered %q", answer)
	}
	return stands, about(rec.ActionID, err)
}

// spendArgs returns the script's keys and what it is to spend.
func (s *Store) spendArgs(id qredo.ActionID, spends []approver.Spend) (keys []string, args []spendArgs, err error) {
	keys, args = []string{s.decisionKey(id)}, []spendArgs{} // a list for the script also if it is empty
	index, keep := map[string]int{}, approver.Retention(spends)
	for _, spend := range spends {
		if spend.Amount < 0 {
			return nil, nil, &approver.OverLimitError{Spend: spend}
		}
		if index[spend.Counter] == 0 {
			keys = append(keys, s.counterKey(spend.Counter))
			index[spend.Counter] = len(keys)
		}
		args = append(args, spendArgs{
			Key: index[spend.Counter], High: spend.Amount / half, Low: spend.Amount % half,
			Keep: keep[spend.Counter].Microseconds(), Window: spend.Window.Microseconds(),
			MaxHigh: spend.MaxAmount / half, MaxLow: spend.MaxAmount % half, MaxCount: spend.MaxCount,
		})
	}
	return keys, args, nil
}

// keepFor is for how many milliseconds a decision is kept; 0 for ever.
func (s *Store) keepFor(rec approver.Record) int64 {
	if rec.Expires.IsZero() {
		return 0
	}
	const most = 100 * 365 * 24 * time.Hour // beyond that Redis takes no times
	left := min(rec.Expires.Sub(rec.Decided), most)
	return (max(left, 0) + keepRecord).Milliseconds()
}

// overLimit reads the script's answer that a spend does not fit.
func overLimit(spends []approver.Spend, answer string) error {
	var n, high, low, count int64
	if _, err := fmt.Sscan(answer, &n, &high, &low, &count); err != nil || n < 1 || int(n) > len(spends) {
		return fmt.Errorf("redis: the script answered %q", answer)
	}
	return &approver.OverLimitError{Spend: spends[n-1], Used: approver.Usage{Amount: join(high, low), Count: count}}
}

// join puts the halves of a sum together. One beyond 64 bits stays at the largest.
func join(high, low int64) int64 {
	if high += low / half; high > math.MaxInt64/half {
		return math.MaxInt64
	}
	return high*half + low%half
}

// Finish implements [approver.Store].
func (s *Store) Finish(ctx context.Context, id qredo.ActionID, outcome approver.Outcome) error {
	rec, found, err := s.Lookup(ctx, id)
	if err != nil {
		return err
	}
	if !found {
		return about(id, errNone)
	}
	rec.Outcome = outcome
	data, err := json.Marshal(rec)
	if err != nil {
		return about(id, err)
	}
	done, err := finishScript.Run(ctx, s.client, []string{s.decisionKey(id)}, data).Int()
	if err == nil && done == 0 {
		err = errNone
	}
	return about(id, err)
}

var errNone = errors.New("there is none")

// Usage implements [approver.Store].
func (s *Store) Usage(ctx context.Context, spends []approver.Spend) ([]approver.Usage, error) {
	now, err := s.clock(ctx)
	if err != nil {
		return nil, err
	}
	used := make([]approver.Usage, len(spends))
	for i, spend := range spends {
		after := fmt.Sprintf("(%d", now.Add(-spend.Window).UnixMicro())
		entries, err := s.client.ZRangeArgs(ctx, redis.ZRangeArgs{Key: s.counterKey(spend.Counter), ByScore: true, Start: after, Stop: "+inf"}).Result()
		if err != nil {
			return nil, fmt.Errorf("redis: %w", err)
		}
		var high, low int64
		for _, entry := range entries {
			var h, l int64
			if _, err := fmt.Sscanf(entry, "%d:%d:", &h, &l); err != nil {
				return nil, fmt.Errorf("redis: counter %s: %w", spend.Counter, err)
			}
			high, low = high+h, low+l
		}
		used[i] = approver.Usage{Amount: join(high, low), Count: int64(len(entries))}
	}
	return used, nil
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
