// Package redis lets several approvers work as one: replicas that take over from each other when one dies. They share
// decisions, limits and the handling of actions through a Redis server:
//
//	store, err := redis.New(ctx, goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:6379"}), "approver:treasury")
//	…
//	a, err := approver.New(client, coreClientID, rules,
//		approver.WithStore(store), approver.WithCoordinator(store), approver.WithAuditLog(log), …)
//
// What is guaranteed, even if a replica dies, is paused or cut off:
//
//   - An action is decided once. A script stores the decision and what it spends in one step, and only if the action has no
//     decision yet; a replica that comes later, for example after a pause, carries out the stored decision.
//   - Limits hold for all replicas together, since that step checks them. Windows roll by the clock of the Redis server, so the
//     replicas' clocks need not agree. The step takes the same time however many payments a window holds.
//   - One replica handles an action at a time, by a lease in Redis (redsync). When it dies, another takes over once the lease
//     has ended. The lease only saves work; the guarantees above hold without it.
//
// Give all replicas the same sealing key ([WithSealingKey]): then what somebody else writes to the server is refused.
//
// # A server that does not forget
//
// All this depends on Redis not losing data. By default it may: [New] refuses a server without an append-only file that is
// synced at each write, a server that evicts keys, a replica, and Redis Cluster. Run a single server: a failover to a replica
// that lags loses decisions and sums. Nobody but the approvers should have access to it. On Debian:
//
//	apt-get install redis-server
//	redis-server --bind 127.0.0.1 --port 6379 --appendonly yes --appendfsync always --maxmemory-policy noeviction --lazyfree-lazy-expire yes
//
// The store has an epoch, drawn at random when its keys are first used, and the step that stores a decision checks it. If the
// epoch is gone (the server was started without its file, or FLUSHALL was called), the error is an [*approver.LostError],
// [approver.Approver.Run] ends, and no replica approves anything, even after a restart, until a person runs qredo agent
// accept-loss. A server restored from an earlier copy of its file still has the same epoch, but its decision numbers are lower
// than those that the audit logs and running programs have seen: that is the same error.
package redis

import (
	"context"
	"crypto/fips140"
	_ "embed" // for the script
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-redsync/redsync/v4"
	"github.com/go-redsync/redsync/v4/redis/goredis/v9"
	"github.com/redis/go-redis/v9"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/approver/internal/seals"
)

//go:embed reserve.lua
var reserveSource string

//go:embed reserve_sealed.lua
var reserveSealedSource string

var (
	reserveScript       = newScript(reserveSource)
	reserveSealedScript = newScript(reserveSealedSource)
)

// finishScript replaces a decision and leaves its time to live as it is.
var finishScript = newScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'KEEPTTL')
return 1`)

// newScript makes a script, whose SHA-1 is its name in Redis and keeps nothing secret. Where only the algorithms of FIPS
// 140 are allowed, programs would end at once.
func newScript(source string) (script *redis.Script) {
	fips140.WithoutEnforcement(func() { script = redis.NewScript(source) })
	return script
}

// Store is an [approver.Store] and an [approver.Coordinator] in a Redis server.
type Store struct {
	client   redis.UniversalClient
	prefix   string
	lease    time.Duration
	now      func() time.Time // nil for the clock of the server
	locks    *redsync.Redsync
	volatile bool
	accepted bool // a loss was
	unsealed bool // so was a store without seals
	epoch    string
	seals    seals.Seals
}

// check returns a [*qredo.ValidationError] unless something is as it must be.
func check(ok bool, field, rule string, args ...any) error {
	if ok {
		return nil
	}
	return &qredo.ValidationError{Field: field, Rule: fmt.Sprintf(rule, args...)}
}

// New returns a store whose keys begin with the given prefix. Approvers with the same prefix share decisions and limits. A
// wrong option is a [*qredo.ValidationError]. For a server that may lose data (see the package documentation), the error says
// which setting is wrong. A store that has lost data is an [*approver.LostError].
func New(ctx context.Context, client redis.UniversalClient, prefix string, opts ...Option) (*Store, error) {
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
	if !s.volatile {
		if err := checkServer(ctx, client); err != nil {
			return nil, fmt.Errorf("redis: %w", err)
		}
	}
	if err := s.begin(ctx); err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	return s, nil
}

// Sealed reports whether the store has a sealing key, so that it returns only decisions that a program with the key has stored.
func (s *Store) Sealed() bool { return s.seals.On() }

// Epoch implements [approver.Store].
func (s *Store) Epoch() string { return s.epoch }

func (s *Store) epochKey() string                     { return s.prefix + ":epoch" }
func (s *Store) markKey() string                      { return s.prefix + ":seal" }
func (s *Store) seqKey() string                       { return s.prefix + ":seq" }
func (s *Store) decisionKey(id qredo.ActionID) string { return s.prefix + ":decision:" + string(id) }
func (s *Store) lockKey(id qredo.ActionID) string     { return s.prefix + ":lock:" + string(id) }
func (s *Store) counterKey(counter string) string     { return s.prefix + ":sums:" + counter }

// Lookup implements [approver.Store].
func (s *Store) Lookup(ctx context.Context, id qredo.ActionID) (approver.Record, bool, error) {
	data, err := s.client.Get(ctx, s.decisionKey(id)).Bytes()
	if errors.Is(err, redis.Nil) {
		return approver.Record{}, false, nil
	}
	var rec approver.Record
	if err == nil {
		rec, err = s.decode(id, data)
	}
	return rec, err == nil, about(id, err)
}

func (s *Store) decode(id qredo.ActionID, data []byte) (rec approver.Record, err error) {
	data, err = s.seals.Split(seals.Decision, string(id), data)
	if err == nil {
		err = json.Unmarshal(data, &rec)
	}
	if err != nil {
		return approver.Record{}, err
	}
	return rec, nil
}

func (s *Store) encode(rec approver.Record) ([]byte, error) {
	data, err := json.Marshal(rec)
	return s.seals.Join(seals.Decision, string(rec.ActionID), data), err
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
	if err := approver.CheckSpends(spends); err != nil {
		return stands, about(rec.ActionID, err)
	}
	if s.seals.On() {
		stands, err = s.reserveSealed(ctx, rec, spends)
		return stands, err
	}
	known := rec.Seq
	rec.Seq = 0 // the script puts the number there
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
	answer, err := reserveScript.Run(ctx, s.client, keys, data, s.keepFor(rec), now, s.epoch, list, known).StringSlice()
	switch {
	case err != nil:
	case len(answer) == 2 && answer[0] == "stands":
		err = json.Unmarshal([]byte(answer[1]), &stands)
	case len(answer) == 2 && answer[0] == "lost":
		return stands, s.lost(answer[1])
	case len(answer) == 2 && answer[0] == "behind":
		lost := &approver.LostError{Before: s.epoch, Now: s.epoch, Known: known}
		if lost.Last, err = strconv.ParseInt(answer[1], 10, 64); err == nil {
			return stands, lost
		}
	case len(answer) == 2 && answer[0] == "over":
		return stands, overLimit(spends, answer[1])
	default:
		err = fmt.Errorf("the script answered %q", answer)
	}
	return stands, about(rec.ActionID, err)
}

// lost is the error that the epoch is another.
func (s *Store) lost(now string) error {
	if strings.HasPrefix(now, lostMark) {
		now = "" // it has none
	}
	return &approver.LostError{Before: s.epoch, Now: now}
}

// spendArgs returns the script's keys and what it is to spend.
func (s *Store) spendArgs(id qredo.ActionID, spends []approver.Spend) (keys []string, args []spendArgs, err error) {
	keys, args = []string{s.decisionKey(id), s.epochKey(), s.seqKey()}, []spendArgs{} // a list for the script also if it is empty
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

// LastSeq implements [approver.Store].
func (s *Store) LastSeq(ctx context.Context) (int64, error) {
	last, err := s.client.Get(ctx, s.seqKey()).Int64()
	switch {
	case errors.Is(err, redis.Nil):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("redis: the number of the last decision: %w", err)
	}
	return last, nil
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
	data, err := s.encode(rec)
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
