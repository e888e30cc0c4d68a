package model

import (
	"fmt"
	"strings"
	"time"
)

// Measured is what a payment takes, by TestMeasured with -measure on the machine of RESULTS.md, brought to a signature of 0.72 ms: that is what
// one takes there when nothing else runs, and all that takes processors takes longer alike when something does. Call is the client's
// processor time of a call with a free signer. Statement and Sync are no measurements but of a server in the same zone, with a disk that keeps
// what a power cut must not take.
var Measured = Costs{
	Signature: 720 * time.Microsecond,
	Call:      60 * time.Microsecond,
	Payment:   320 * time.Microsecond,
	Look:      125 * time.Microsecond,
	Database:  300 * time.Microsecond,
	Looking:   160 * time.Microsecond,
	Statement: 800 * time.Microsecond,
	Sync:      2 * time.Millisecond,
}

// Usual is the plan that the tables of docs/scale.md change one thing of.
func Usual() Plan {
	return Plan{
		Costs: Measured, Replicas: 2, Workers: 32, Cores: 2, Looks: Looks(2 * time.Second), Retries: 0.01,
		Database: Database{Cores: 4, Connections: 64}, Service: Service{Latency: 100 * time.Millisecond},
	}
}

// Tables are those of docs/scale.md, by their names there.
func Tables() map[string]string {
	return map[string]string{
		"costs": costsTable(), "workers": workersTable(), "replicas": replicasTable(), "approval": approvalTable(), "service": serviceTable(),
		"signer": signerTable(), "retries": retriesTable(), "wait": waitTable(), "row": rowTable(),
	}
}

// table has a header, and a line for each row.
func table(head string, rows ...[]string) string {
	text := "| " + head + " |\n|" + strings.Repeat("---|", strings.Count(head, "|")+1) + "\n"
	for _, r := range rows {
		text += "| " + strings.Join(r, " | ") + " |\n"
	}
	return text
}

func rate(perSecond float64) string {
	if perSecond < 10 {
		return strings.TrimSuffix(fmt.Sprintf("%.1f", perSecond), ".0")
	}
	digits := 1.0
	for perSecond/digits >= 100 {
		digits *= 10
	}
	n := int(perSecond/digits+0.5) * int(digits) // two digits: the model is not more accurate
	if n >= 1000 {
		return fmt.Sprintf("%d,%03d", n/1000, n%1000)
	}
	return fmt.Sprint(n)
}

func milliseconds(d time.Duration) string {
	if d < 10*time.Millisecond {
		return fmt.Sprintf("%.2g ms", d.Seconds()*1e3)
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}

// carries is the maximum that a plan can carry, and its bottleneck.
func carries(p Plan) string {
	r := p.Solve()
	return rate(r.PerSecond) + ": " + r.First()
}

func costsTable() string {
	c := Measured
	return table("what | takes | of",
		[]string{"signature, Go's, RSA 2048", milliseconds(c.Signature), "a core of the program, for each call"},
		[]string{"the rest of a call", milliseconds(c.Call), "the same"},
		[]string{"outbox and driver, for a payment", milliseconds(c.Payment), "the same"},
		[]string{"outbox and driver, for a look", milliseconds(c.Look), "the same"},
		[]string{"statements, for a payment", milliseconds(c.Database), "a core of PostgreSQL"},
		[]string{"statements, for a look", milliseconds(c.Looking), "the same"},
		[]string{"claim, there and back", milliseconds(c.Statement), "time; one at once in each program, for all slots that are free"},
		[]string{"commit, there and back", milliseconds(c.Sync), "time; shared by all who commit meanwhile"})
}

func workersTable() string {
	var rows [][]string
	for _, workers := range []int{8, 16, 32, 64, 128} {
		row := []string{fmt.Sprint(workers)}
		for _, latency := range []time.Duration{20 * time.Millisecond, 100 * time.Millisecond, 500 * time.Millisecond} {
			p := Usual()
			p.Replicas, p.Workers, p.Service.Latency = 1, workers, latency
			row = append(row, carries(p))
		}
		rows = append(rows, row)
	}
	return table("workers | service answers in 20 ms | 100 ms | 500 ms", rows...)
}

func replicasTable() string {
	var rows [][]string
	for _, replicas := range []int{1, 2, 4, 8} {
		row := []string{fmt.Sprint(replicas)}
		for _, cores := range []int{1, 2, 4, 8} {
			p := Usual()
			p.Replicas, p.Database.Cores, p.Workers, p.Service.Latency = replicas, cores, 128, 50*time.Millisecond
			row = append(row, carries(p))
		}
		rows = append(rows, row)
	}
	return table("programs | PostgreSQL with 1 core | 2 cores | 4 cores | 8 cores", rows...)
}

func approvalTable() string {
	var rows [][]string
	for _, a := range []struct {
		text  string
		after time.Duration
	}{
		{"1 second", time.Second},
		{"10 seconds", 10 * time.Second},
		{"1 minute", time.Minute},
		{"10 minutes", 10 * time.Minute},
		{"1 hour", time.Hour},
		{"1 day", 24 * time.Hour},
	} {
		row := []string{a.text, fmt.Sprintf("%.0f", 1+Looks(a.after))}
		for _, workers := range []int{32, 256} {
			p := Usual()
			p.Looks, p.Workers = Looks(a.after), workers
			row = append(row, carries(p))
		}
		rows = append(rows, row)
	}
	return table("approved after | calls for a payment | with 32 workers each | with 256", rows...)
}

func serviceTable() string {
	var rows [][]string
	for _, limit := range []float64{5, 20, 50, 200, 1000} {
		row := []string{rate(limit)}
		for _, after := range []time.Duration{2 * time.Second, 10 * time.Minute} {
			p := Usual()
			p.Service.Limit, p.Looks, p.Workers = limit, Looks(after), 256
			row = append(row, carries(p))
		}
		rows = append(rows, row)
	}
	return table("calls a second | approved within 2 s | after 10 minutes", rows...)
}

func signerTable() string {
	var rows [][]string
	for _, s := range []struct {
		name  string
		takes time.Duration
	}{
		{"Go's, RSA 2048", Measured.Signature},
		{"1.3 times as fast", Measured.Signature * 10 / 13},
		{"2.5 times as fast", Measured.Signature * 10 / 25},
		{"Go's, RSA 4096 (5.5 times as slow)", Measured.Signature * 55 / 10},
	} {
		row := []string{s.name}
		for _, cores := range []int{1, 2, 4} {
			p := Usual()
			p.Replicas, p.Workers, p.Cores, p.Signature, p.Service.Latency = 1, 256, cores, s.takes, 50*time.Millisecond
			row = append(row, carries(p))
		}
		rows = append(rows, row)
	}
	return table("signer | program with 1 core | 2 cores | 4 cores", rows...)
}

func retriesTable() string {
	var rows [][]string
	for _, share := range []float64{0, 0.05, 0.2, 0.5} {
		p := Usual()
		p.Retries = share
		rows = append(rows, []string{fmt.Sprintf("%.0f %%", 100*share), carries(p)})
	}
	return table("calls that are made again | payments a second", rows...)
}

func waitTable() string {
	r := Usual().Solve()
	var rows [][]string
	for _, share := range []float64{0.5, 0.8, 0.9, 0.95, 0.99} {
		wait, waiting := r.Wait(share * r.PerSecond)
		text := "less than 0.1 ms"
		if wait >= 100*time.Microsecond {
			text = milliseconds(wait)
		}
		rows = append(rows, []string{fmt.Sprintf("%.0f %%", 100*share), rate(share * r.PerSecond), text, fmt.Sprintf("%.0f %%", 100*waiting)})
	}
	return table("of the most | payments a second | wait for a worker, on average | payments that wait", rows...)
}

func rowTable() string {
	var rows [][]string
	for _, sync := range []time.Duration{500 * time.Microsecond, 2 * time.Millisecond, 10 * time.Millisecond} {
		row := []string{milliseconds(sync)}
		for _, hot := range []float64{0.1, 0.5, 1} {
			p := Usual()
			p.Replicas, p.Workers, p.Sync, p.Hot = 8, 128, sync, hot
			p.Database.Cores = 8
			row = append(row, carries(p))
		}
		rows = append(rows, row)
	}
	return table("a commit takes | a tenth of payments book on one row | half | all", rows...)
}
