package redis_test

import (
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/approver/internal/trial"
	"github.com/qredo-go/qredo/approver/redis"
)

var sealingKey = []byte("0123456789abcdef")

// place is a prefix of a server, to which somebody else has access too.
type place struct {
	client *goredis.Client
	prefix string
}

func (p *place) Open(t *testing.T, now func() time.Time, keys [][]byte, unsealed bool) (approver.Store, func(), error) {
	t.Helper()
	opts := []redis.Option{redis.WithVolatile(), redis.WithClock(now)}
	if keys != nil {
		opts = append(opts, redis.WithSealingKey(keys[0], keys[1:]...))
	}
	if unsealed {
		opts = append(opts, redis.WithUnsealedAccepted())
	}
	s, err := redis.New(t.Context(), p.client, p.prefix, opts...)
	return s, func() {}, err
}

func (p *place) Read(t *testing.T, id qredo.ActionID) trial.Raw {
	t.Helper()
	data, err := p.client.Get(t.Context(), p.prefix+":decision:"+string(id)).Bytes()
	require.NoError(t, err)
	return trial.Raw{Data: data}
}

func (p *place) Write(t *testing.T, id qredo.ActionID, r trial.Raw) {
	t.Helper()
	require.NoError(t, p.client.Set(t.Context(), p.prefix+":decision:"+string(id), r.Data, 0).Err())
}

func (p *place) replace(t *testing.T, counter string, change func(goredis.Z) goredis.Z) {
	t.Helper()
	key := p.prefix + ":sums:" + counter
	entries, err := p.client.ZRangeWithScores(t.Context(), key, 0, -1).Result()
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.NoError(t, p.client.Del(t.Context(), key).Err())
	require.NoError(t, p.client.ZAdd(t.Context(), key, change(entries[0])).Err())
}

func (p *place) Lower(t *testing.T, counter string) {
	t.Helper()
	p.replace(t, counter, func(z goredis.Z) goredis.Z {
		member, _ := z.Member.(string)
		require.Contains(t, member, ":0.0.60:0.60:")
		z.Member = strings.Replace(member, ":0.0.60:0.60:", ":0.0.0:0.0:", 1)
		return z
	})
}

func (p *place) Unmark(t *testing.T) {
	t.Helper()
	require.NoError(t, p.client.Del(t.Context(), p.prefix+":seal").Err())
}

func (p *place) Move(t *testing.T, from, to string) {
	t.Helper()
	entries, err := p.client.ZRangeWithScores(t.Context(), p.prefix+":sums:"+from, 0, -1).Result()
	require.NoError(t, err)
	p.replace(t, to, func(goredis.Z) goredis.Z { return entries[0] })
}

func TestSealed(t *testing.T) {
	eachServer(t, func(t *testing.T, address string) {
		client := connect(t, address)
		trial.TestSeals(t, func(t *testing.T) trial.Place { t.Helper(); return &place{client, "[" + rand.Text() + "]*"} })
		trial.TestStore(t, func(t *testing.T, now func() time.Time) approver.Store {
			t.Helper()
			s, err := redis.New(t.Context(), client, t.Name(), redis.WithVolatile(), redis.WithClock(now), redis.WithSealingKey(sealingKey))
			require.NoError(t, err)
			return s
		})
	})
}

// An entry is moved in time, out of the window.
func TestASealedEntryKeepsItsTime(t *testing.T) {
	eachServer(t, func(t *testing.T, address string) {
		p := &place{connect(t, address), "p"}
		s, _, err := p.Open(t, time.Now, [][]byte{sealingKey}, false)
		require.NoError(t, err)
		spend := []approver.Spend{{Counter: "c", Amount: 60, Window: time.Hour, MaxAmount: 100}}
		_, err = s.Reserve(t.Context(), approver.Record{ActionID: "a"}, spend)
		require.NoError(t, err)
		p.replace(t, "c", func(z goredis.Z) goredis.Z {
			z.Score -= 2 * float64(time.Hour.Microseconds())
			return z
		})
		_, err = s.Reserve(t.Context(), approver.Record{ActionID: "b"}, spend)
		require.ErrorIs(t, err, approver.ErrUnsealed)
	})
}

// Programs that start together on a new server make one sealed store; the server loses everything, and a person accepts that.
func TestASealedStoreBegins(t *testing.T) {
	eachServer(t, func(t *testing.T, address string) {
		client := connect(t, address)
		begin := func(ctx context.Context, more ...redis.Option) (*redis.Store, error) {
			return redis.New(ctx, client, "p", append(more, redis.WithVolatile(), redis.WithSealingKey(sealingKey))...)
		}
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				_, err := begin(t.Context())
				assert.NoError(t, err)
			})
		}
		all.Wait()
		s, err := begin(t.Context())
		require.NoError(t, err)
		spend := []approver.Spend{{Counter: "c", Amount: 60, Window: time.Hour, MaxAmount: 100}}
		_, err = s.Reserve(t.Context(), approver.Record{ActionID: "a"}, spend)
		require.NoError(t, err)

		require.NoError(t, client.Del(t.Context(), "p:epoch").Err())
		_, err = s.Reserve(t.Context(), approver.Record{ActionID: "b"}, spend)
		require.ErrorAs(t, err, new(*approver.LostError))
		_, err = begin(t.Context())
		require.ErrorAs(t, err, new(*approver.LostError))
		s, err = begin(t.Context(), redis.WithLossAccepted())
		require.NoError(t, err)
		_, found, err := s.Lookup(t.Context(), "a")
		require.NoError(t, err)
		require.False(t, found, "it was of the epoch before")
		_, err = s.Reserve(t.Context(), approver.Record{ActionID: "b"}, spend)
		require.NoError(t, err)
	})
}
