// Package model tells how many payments a second programs with an outbox carry, how long payments wait, and what breaks first, from what
// single payments were measured to take.
//
// A worker's slot does one payment at a time: it claims it, stores that the attempt begins, signs, calls, and takes the next.
// A fixed number of slots circulates between the same stations: a closed network of queues. It is solved exactly, by Buzen's convolution.
// Mean value analysis gives the same, but it subtracts, and loses all digits where a station with several servers, or one that
// serves in batches, is nearly full. Convolution adds only. Logarithms keep it from overflowing.
//
// The network with n slots in use then acts as one server whose speed depends on n. Payments that arrive at random times wait
// for it as in an M/M/c queue, which gives the waiting time below the maximum throughput.
package model

import "math"

// station is a place where slots spend time.
type station struct {
	name   string
	demand float64 // seconds of service that a payment needs of it, over all its visits
	// speed is how many times as fast as with a single slot it serves when j are there.
	speed func(j int) float64
	top   float64 // the maximum speed; +Inf if nobody ever waits
	count int     // the number of identical stations, of which a payment visits one at random
}

// servers is a station with c servers and one queue.
func servers(c int) func(int) float64 { return func(j int) float64 { return float64(min(j, c)) } }

// everybody is a station where nobody waits, such as a network or a service that takes all calls at once.
func everybody(j int) float64 { return float64(j) }

// together is a server that serves everyone who arrived while it was busy as one batch, up to a limit: a commit of
// several transactions with one write to the disk, or a statement for several payments. On average half of those present
// are served in a round, and half wait for the next.
func together(most int) func(int) float64 {
	return func(j int) float64 { return max(1, min(float64(j)/2, float64(most))) }
}

// solution is the throughput and occupancy of a network by the number of slots in use.
type solution struct {
	perSecond []float64 // by the number of slots in use, from 0
	present   []float64 // the average number of slots at each station (at all identical ones together), with all slots in use
}

// solve solves a network for up to n slots in use.
func solve(stations []station, n int) solution {
	terms := make([][]float64, len(stations)) // ln of the factors of each group of identical stations
	for i, s := range stations {
		terms[i] = power(s.factors(n), s.count)
	}
	before := make([][]float64, len(stations)+1) // of all stations before i
	before[0] = nobody(n)
	for i, t := range terms {
		before[i+1] = convolve(before[i], t)
	}
	all := before[len(stations)]
	got := solution{perSecond: make([]float64, n+1), present: make([]float64, len(stations))}
	for j := 1; j <= n; j++ {
		got.perSecond[j] = math.Exp(all[j-1] - all[j])
	}
	after := nobody(n)
	for i := len(stations) - 1; i >= 0; i-- {
		others := convolve(before[i], after)
		for j := 1; j <= n; j++ {
			got.present[i] += float64(j) * math.Exp(terms[i][j]+others[n-j]-all[n])
		}
		after = convolve(after, terms[i])
	}
	return got
}

// factors are the logarithms of a station's factors: the product of demand over speed, for 0 to n slots.
func (s station) factors(n int) []float64 {
	f := make([]float64, n+1)
	for j := 1; j <= n; j++ {
		f[j] = f[j-1] + math.Log(s.demand/float64(s.count)/s.speed(j)) // -Inf if nothing is demanded
	}
	return f
}

// nobody is the factor of no station at all.
func nobody(n int) []float64 {
	f := make([]float64, n+1)
	for j := 1; j <= n; j++ {
		f[j] = math.Inf(-1)
	}
	return f
}

func power(f []float64, times int) []float64 {
	got := nobody(len(f) - 1)
	for ; times > 0; times /= 2 {
		if times%2 == 1 {
			got = convolve(got, f)
		}
		if times > 1 {
			f = convolve(f, f)
		}
	}
	return got
}

// convolve convolves two sequences that are given as logarithms.
func convolve(a, b []float64) []float64 {
	const nothing = -45 // a term smaller by a factor of e^-45 changes no digit of a float64
	got := make([]float64, len(a))
	for n := range got {
		most := math.Inf(-1)
		for j := range n + 1 {
			most = max(most, a[j]+b[n-j])
		}
		if math.IsInf(most, -1) {
			got[n] = most
			continue
		}
		sum := 0.0
		for j := range n + 1 {
			if d := a[j] + b[n-j] - most; d > nothing {
				sum += math.Exp(d)
			}
		}
		got[n] = most + math.Log(sum)
	}
	return got
}

// open models payments that arrive at random times, at an average rate: how long one waits for a slot, and the share that
// waits at all. The network takes n at once, at the speed that it has then.
func open(speeds []float64, perSecond float64) (wait, waiting float64) {
	n := len(speeds) - 1
	full := perSecond / speeds[n]
	if full >= 1 {
		return math.Inf(1), 1
	}
	logs, most := make([]float64, n+1), 0.0 // probability that there are j, up to a factor
	for j := 1; j <= n; j++ {
		logs[j] = logs[j-1] + math.Log(perSecond/speeds[j])
		most = max(most, logs[j])
	}
	sum := 0.0
	for _, l := range logs[:n] {
		sum += math.Exp(l - most)
	}
	last := math.Exp(logs[n] - most)
	sum += last / (1 - full)          // n and more
	waiting = last / (1 - full) / sum // whoever arrives then waits
	return waiting / (speeds[n] * (1 - full)), waiting
}
