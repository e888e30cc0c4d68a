package faultproxy

import (
	"slices"
	"sync"
)

// Record is what was true of one request that reached the proxy.
type Record struct {
	Request
	Tag        string // the value of the header that [Config] names
	Fault      string // the name of what was done to it
	Deliveries []Delivery
	Answered   int    // the status that was sent to the client, or its beginning; 0 if none was
	Body       []byte // the beginning of that answer's body
	Complete   bool   // that answer was sent to its end
}

// answer records what is sent to the client.
func (r *Record) answer(a *Answer) {
	r.Answered, r.Body = a.Status, first(a.Body, keptBody)
}

const keptBody = 200

// Delivery is one time that the server got a request.
type Delivery struct {
	Status int    // of the server's answer; 0 if there was none
	Err    string // why there was none
}

// Succeeded says how many deliveries the server answered with a success.
func (r Record) Succeeded() (n int) {
	for _, d := range r.Deliveries {
		if d.Status >= 200 && d.Status < 300 || d.Status == 101 {
			n++
		}
	}
	return n
}

// truth has the records, and counts what is under way.
type truth struct {
	mu       sync.Mutex
	settled  *sync.Cond
	underWay int // deliveries, and whole responses that are being sent
	records  []*Record
	byTag    map[string][]*Record
	earlier  []kept
	next     int // the next index to write in earlier
}

// kept is a response of the server that may be replayed as a stale one.
type kept struct {
	method, target string
	answer         *Answer
}

const keptAnswers = 256

func (t *truth) init() {
	t.settled, t.byTag = sync.NewCond(&t.mu), map[string][]*Record{}
}

func (t *truth) add(r *Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.records = append(t.records, r)
	if r.Tag != "" {
		t.byTag[r.Tag] = append(t.byTag[r.Tag], r)
	}
}

// change updates a record.
func (t *truth) change(change func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change()
}

// begin counts a delivery before the client gets a response, so that [Proxy.Settle] cannot miss it.
func (t *truth) begin() { t.change(func() { t.underWay++ }) }

func (t *truth) end(r *Record, d Delivery, answer *Answer) {
	t.change(func() {
		r.Deliveries = append(r.Deliveries, d)
		if answer != nil && answer.Status < 300 && answer.Status >= 200 {
			k := kept{r.Method, r.Target, answer}
			if len(t.earlier) < keptAnswers {
				t.earlier = append(t.earlier, k)
			} else {
				t.earlier[t.next%keptAnswers] = k
			}
			t.next++
		}
		t.ended()
	})
}

func (t *truth) ended() {
	t.underWay--
	t.settled.Broadcast()
}

// stale returns an earlier response for which fits is true: the latest one, after skipping skip of them.
func (t *truth) stale(skip int, fits func(kept) bool) *Answer {
	t.mu.Lock()
	defer t.mu.Unlock()
	var found *Answer
	for i := range t.earlier {
		k := t.earlier[(t.next-1-i+2*keptAnswers)%len(t.earlier)]
		if fits(k) {
			found = k.answer
			if skip--; skip < 0 {
				break
			}
		}
	}
	return found
}

// Settle waits until nothing is under way to the server, what comes there after the client's answer included, and no answer
// to a client: then the records are true.
func (p *Proxy) Settle() {
	p.truth.mu.Lock()
	defer p.truth.mu.Unlock()
	for p.truth.underWay > 0 {
		p.truth.settled.Wait()
	}
}

// Records returns what was true of all requests so far, in the order in which they arrived.
func (p *Proxy) Records() []Record {
	p.truth.mu.Lock()
	defer p.truth.mu.Unlock()
	return copies(p.truth.records)
}

// RecordsOf returns what was true of the requests with a tag.
func (p *Proxy) RecordsOf(tag string) []Record {
	p.truth.mu.Lock()
	defer p.truth.mu.Unlock()
	return copies(p.truth.byTag[tag])
}

func copies(records []*Record) []Record {
	list := make([]Record, len(records))
	for i, r := range records {
		list[i] = *r
		list[i].Deliveries = slices.Clone(r.Deliveries)
	}
	return list
}
