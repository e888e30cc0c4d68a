package faultproxy

import (
	"math/rand/v2"
	"slices"
)

// Layer is where a fault can strike, as a set.
type Layer int

// The layers. A request that asks for a WebSocket is of layer WebSocket alone.
const (
	Accepting Layer = 1 << iota // a connection, before a byte of it is read
	Handshake                   // the handshake of TLS
	HTTP1
	HTTP2
	WebSocket
	AnyHTTP = HTTP1 | HTTP2
)

// Fault is one thing that goes wrong, with its parameters. The zero Fault is none.
type Fault struct {
	Name string // with the parameters
	Kind string // without them: a row of a table
	At   Layer
	// Lies says which promise of its protocol the fault breaks, for those that no client can see through. Where it is
	// not empty a client that believes it is right.
	Lies string

	connection func(*conn)
	exchange   func(*exchange)
	socket     func(*socket)
}

// Mix is a plan that breaks a part of all requests, with faults that fit the layer of the request, each as often as any
// other kind: first a kind is drawn, then a fault of it. What happens to the nth request is a matter of the seed and of n.
func Mix(seed uint64, rate float64, faults ...Fault) func(Request) Fault {
	type kinds struct {
		names []string
		of    map[string][]Fault
	}
	layers := map[Layer]*kinds{}
	for _, layer := range []Layer{HTTP1, HTTP2, WebSocket} {
		k := &kinds{of: map[string][]Fault{}}
		layers[layer] = k
		for _, f := range faults {
			if f.At&layer == 0 {
				continue
			}
			if !slices.Contains(k.names, f.Kind) {
				k.names = append(k.names, f.Kind)
			}
			k.of[f.Kind] = append(k.of[f.Kind], f)
		}
	}
	return func(r Request) Fault {
		random := rand.New(rand.NewPCG(seed, uint64(r.N))) //nolint:gosec // chance from a seed, so that a run can be repeated
		k := layers[r.Layer]
		if random.Float64() >= rate || len(k.names) == 0 {
			return Fault{}
		}
		list := k.of[k.names[random.IntN(len(k.names))]]
		return list[random.IntN(len(list))]
	}
}
