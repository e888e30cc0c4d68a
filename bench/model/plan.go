package model

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Costs are what one payment takes. Durations of processors are of one core.
type Costs struct {
	Signature time.Duration // the program's processors, for each call
	Call      time.Duration // the same: the rest of a call, with what net/http and the kernel do
	Payment   time.Duration // the same: what the outbox and the driver do for a payment, except for following it
	Look      time.Duration // the same: what they do for a look
	Database  time.Duration // PostgreSQL's processors: all statements of a payment, from its booking to its end, except for following it
	Looking   time.Duration // the same: the statements of a look
	Statement time.Duration // how long a statement takes that does not wait for the disk, there and back
	Sync      time.Duration // how long a commit waits for the disk when it is alone
}

// Plan is what programs, service and database are.
type Plan struct {
	Costs
	Replicas, Workers, Cores int // programs; slots of each (outbox.WithConcurrency); cores of each
	Database                 Database
	Service                  Service

	// Looks is how often a payment is looked at until it has ended: see [Looks].
	Looks float64
	// Retries is the share of calls that come to nothing and are made again.
	Retries float64
	// Hot is the share of payments that are booked on one and the same row, which is locked from its change until the booking is on the disk.
	Hot float64
}

// Database is a PostgreSQL server.
type Database struct {
	Cores       int
	Connections int // that may work at once, of all programs together
}

// Service is the custody service.
type Service struct {
	Latency time.Duration // how long a call takes when nobody waits
	Limit   float64       // calls a second that it answers, or that qredo.WithRateLimit of all programs let through; 0 for no limit
	Servers int           // how many calls it works on at once; 0 for as many as come
}

// The stations, by the names that results have.
const (
	Processors  = "processors of the programs"
	RateLimit   = "rate limit"
	ServiceTime = "service"
	DatabaseCPU = "processors of PostgreSQL"
	Disk        = "commits"
	Claims      = "claims"
	HotRow      = "the one row"
)

// batchAtOnce is the maximum number of changes per statement, as in outbox/postgres.
const batchAtOnce = 256

// Result is what a plan carries.
type Result struct {
	PerSecond float64       // payments, at most
	Cycle     time.Duration // how long a slot has a payment when that many are made
	Waiting   time.Duration // the part of it in which it waits for others
	Busy      []Use         // each station, the fullest first
	speeds    []float64
}

// Use is how far a station is used when the most payments are made.
type Use struct {
	Name    string
	Share   float64       // of what it can do; 0 of one where nobody waits
	Waiting time.Duration // for others there, for each payment
}

// First is what breaks first: the station with the least left; or the slots themselves, where no station is used by more than
// three quarters.
func (r Result) First() string {
	if len(r.Busy) > 0 && r.Busy[0].Share >= 0.75 {
		return r.Busy[0].Name
	}
	return "number of workers"
}

// Wait is how long a payment waits for a slot on average at a given rate of random arrivals, and the share of those that
// wait. From PerSecond on, it is infinite.
func (r Result) Wait(perSecond float64) (wait time.Duration, share float64) {
	if perSecond >= r.PerSecond {
		return math.MaxInt64, 1
	}
	seconds, share := open(r.speeds, perSecond)
	return duration(seconds), share
}

// Looks is how often an outbox looks at a payment that is approved so long after it was sent, with the default poll interval of a second: each
// pause is an eighth of the time since then, and at least one interval and at most two minutes, as outbox/follow.go has it.
func Looks(approved time.Duration) float64 {
	looks := 0.0
	for at := time.Duration(0); ; looks++ {
		if looks > 0 && at >= approved {
			return looks
		}
		at += min(max(at/8, time.Second), 2*time.Minute)
	}
}

// tries is how many attempts a call takes until it is answered.
func (p Plan) tries() float64 { return 1 / (1 - p.Retries) }

func (p Plan) stations() []station {
	calls := (1 + p.Looks) * p.tries()
	each := max(1, p.Replicas)
	list := []station{
		{name: Processors, demand: p.Payment.Seconds() + p.Looks*p.Look.Seconds() + calls*(p.Signature+p.Call).Seconds(), speed: servers(p.Cores), top: float64(p.Cores * each), count: each},
		{name: DatabaseCPU, demand: p.Costs.Database.Seconds() + p.Looks*p.Looking.Seconds()},
		// Begin waits for the disk before each attempt. What happens after the call is stored while the slot already has
		// the next payment.
		{name: Disk, demand: p.tries() * p.Sync.Seconds(), speed: together(batchAtOnce), top: batchAtOnce, count: 1},
		// Each call is claimed; the same statement serves every slot that is free then.
		{name: Claims, demand: calls * p.Statement.Seconds(), speed: together(p.Workers), top: float64(p.Workers * each), count: each},
		{name: ServiceTime, demand: calls * p.Service.Latency.Seconds(), speed: everybody, top: math.Inf(1), count: 1},
	}
	at := min(p.Database.Cores, p.Database.Connections)
	list[1].speed, list[1].top, list[1].count = servers(at), float64(at), 1
	if n := p.Service.Servers; n > 0 {
		list[4].speed, list[4].top = servers(n), float64(n)
	}
	if p.Service.Limit > 0 {
		list = append(list, station{name: RateLimit, demand: calls / p.Service.Limit, speed: servers(1), top: 1, count: 1})
	}
	return slices.DeleteFunc(list, func(s station) bool { return s.demand == 0 })
}

// Solve tells what a plan carries.
func (p Plan) Solve() Result {
	stations, n := p.stations(), p.Replicas*p.Workers
	got := solve(stations, n)
	r := Result{PerSecond: got.perSecond[n], speeds: got.perSecond}
	// Bookings come before the slots, and one at a time if they lock the same row.
	hold := p.Hot * (p.Sync + p.Statement).Seconds()
	if most := 1 / hold; hold > 0 && most < r.PerSecond {
		r.PerSecond, r.speeds = most, slices.Clone(got.perSecond)
		for i := range r.speeds {
			r.speeds[i] = min(r.speeds[i], most)
		}
	}
	alone := 0.0
	for i, s := range stations {
		alone += s.demand
		r.Busy = append(r.Busy, Use{s.name, r.PerSecond * s.demand / s.top, duration(max(0, got.present[i]/got.perSecond[n]-s.demand))})
	}
	if hold > 0 {
		r.Busy = append(r.Busy, Use{HotRow, r.PerSecond * hold, 0})
	}
	r.Cycle = duration(float64(n) / got.perSecond[n])
	r.Waiting = max(0, r.Cycle-duration(alone))
	slices.SortStableFunc(r.Busy, func(a, b Use) int { return cmp.Compare(b.Share, a.Share) })
	return r
}

func duration(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }
