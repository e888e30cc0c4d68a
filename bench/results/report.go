package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// mostNoise is the noise of a benchmark, from one turn to the next, above which comparisons with it are not judged.
const mostNoise = 0.1

// verdict is the result for a target.
type verdict struct {
	value, from, to, noise float64
	turns                  int
	text                   string
	missed                 bool
}

// judge compares what was measured with a target. It returns false if that was not measured.
func (s samples) judge(r row) (v verdict, ok bool) {
	values := slices.Clone(s.each(r.top, r.bottom, r.unit))
	if r.less != "" {
		for i, less := range s[r.less][r.unit][:min(len(values), len(s[r.less][r.unit]))] {
			values[i] -= 2 * less
		}
	}
	if len(values) == 0 {
		return v, false
	}
	if r.scale != 0 {
		for i := range values {
			values[i] *= r.scale
		}
	}
	v = verdict{value: median(values), turns: len(values), noise: max(s.noise(r.top, r.unit), s.noise(r.bottom, r.unit), s.noise(r.less, r.unit))}
	v.from, v.to = interval(values)
	allowed := mostNoise
	if strings.HasPrefix(r.unit, "%") { // a difference that was computed per turn: it may be zero
		v.noise, allowed = (v.to-v.from)/200, r.limit/100
	}
	good := func(x float64) bool { return x <= r.limit }
	if r.atLeast {
		good = func(x float64) bool { return x >= r.limit }
	}
	sure := good(v.from) == good(v.to)
	switch {
	case r.limit == 0:
		v.text = "–"
	case v.turns < 3 && (r.bottom != "" || allowed != mostNoise):
		v.text = fmt.Sprintf("not judged: turns: %d", v.turns)
	case v.noise > allowed:
		v.text = "not judged: noise " + percent(v.noise)
	case good(v.value):
		v.text = mark("yes", sure)
	default:
		v.text, v.missed = mark("**no**", sure), true
	}
	return v, true
}

func mark(word string, sure bool) string {
	if sure {
		return word
	}
	return word + "?"
}

func write(bench, curves measured, hand string) string {
	var b strings.Builder
	b.WriteString("# Results\n\nMade by `make bench` (15 minutes) and `make bench-curves`; what they printed is in [results](results).\n" +
		"Each comparison is of benchmarks that were run in turns, one beside the other: a figure is the median of its turns' ratios, and the interval\n" +
		"is where it would be in 95 of 100 runs (by signs; of fewer than six turns, the least and the most). Noise is how far a benchmark is from\n" +
		"itself, from one turn to the next, in the median; above " + percent(mostNoise) + " nothing is judged. Of costs in per cent it is half the interval, and no more than the target. A question mark: the interval reaches over the target.\n")
	if bench.samples != nil {
		b.WriteString("\n" + bench.about())
		b.WriteString(bench.table(targets(bench.head["ifma"] == "true")))
	}
	if curves.samples != nil {
		b.WriteString("\n## With more and more to do\n\n" + curves.about())
		b.WriteString(curves.curves())
		b.WriteString(curves.table(growth()))
	}
	if bench.samples != nil {
		b.WriteString("\n## Figures behind the first table\n\nMedians.\n\n| benchmark | turns | time | processor time | bytes | allocations | a second | noise |\n|---|---|---|---|---|---|---|---|\n")
		for _, name := range slices.Sorted(maps.Keys(bench.samples)) {
			s := bench.samples
			fmt.Fprintf(&b, "| %s | %d | %s | %s | %s | %s | %s | %s |\n", name, len(s[name][second]), s.duration(name, second), s.duration(name, processor),
				s.number(name, bytesEach), s.number(name, allocations), s.number(name, perSecond), percent(s.noise(name, second)))
		}
	}
	return b.String() + "\n" + hand
}

// about describes what a run was made on, and what else the machine did.
func (m measured) about() string {
	h := m.head
	text := fmt.Sprintf("Measured on %s, %s cores, %s, %s, commit %s, %s, in %s", h["processor"], h["cores"], h["goversion"], h["system"], h["commit"], h["on"], h["took"])
	if h["turns"] != "0" && h["turns"] != "" {
		text += fmt.Sprintf(" (%s turns)", h["turns"])
	}
	text += fmt.Sprintf(".\nDisk: %s.\nNoise: %s.\n", h["disk"], h["noise"])
	for _, a := range m.again {
		text += "Again: " + a + ".\n"
	}
	for _, p := range m.problems {
		text += "\nNot measured: " + p + ".\n"
	}
	return text + "\n"
}

// table is the table of measured targets, with reasons for missed ones.
func (m measured) table(rows []row) string {
	var b strings.Builder
	var missed, left []string
	for _, r := range rows {
		v, ok := m.judge(r)
		if !ok {
			left = append(left, r.what)
			continue
		}
		if b.Len() == 0 {
			b.WriteString("| what | measured | interval | target | met | noise | turns |\n|---|---|---|---|---|---|---|\n")
		}
		sign := "≤"
		if r.atLeast {
			sign = "≥"
		}
		target := fmt.Sprintf("%s %s", sign, strconv.FormatFloat(r.limit, 'f', -1, 64))
		if r.limit == 0 {
			target = "–"
		}
		fmt.Fprintf(&b, "| %s | "+r.format+" | "+r.format+" to "+r.format+" | %s | %s | %s | %d |\n", r.what, v.value, v.from, v.to, target, v.text, percent(v.noise), v.turns)
		if v.missed {
			missed = append(missed, r.what+": "+fmt.Sprintf(r.format, v.value)+", not "+target+". "+r.ifMissed)
		}
	}
	if len(missed) > 0 {
		b.WriteString("\nMissed:\n\n- " + strings.Join(missed, "\n- ") + "\n")
	}
	if len(left) > 0 {
		b.WriteString("\nNot measured in this run: " + strings.Join(left, "; ") + ".\n")
	}
	return b.String()
}

// curves are the figures of each store, by size.
func (m measured) curves() string {
	var b strings.Builder
	for _, kind := range []struct{ title, name, size string }{
		{"Outbox: payments that wait, sent and followed to their end by 64 workers, with a service within the process, and nothing signed. River's jobs make the same two calls, and do less: " +
			"a job is claimed once and stored at its end; the outbox stores before each request that it goes out, stores what came of it, and looks at the payment as a second job.", "Curve", "payments"},
		{"Inbox: movements of 58 wallets read from a ledger's start and handed over one by one, each in a transaction where the store has one.", "InboxCurve", "movements"},
		{"Approver: decisions one after the other, with so many payments in the limit's window.", "Reserve", "payments"},
	} {
		var rows []string
		for name, units := range m.samples {
			if parts := strings.Split(name, "/"); len(parts) == 3 && parts[0] == kind.name {
				n, err := strconv.Atoi(strings.TrimPrefix(parts[2], kind.size+"="))
				if err != nil {
					continue
				}
				rate := "items/s"
				if units[rate] == nil {
					rate = "decisions/s"
				}
				rows = append(rows, fmt.Sprintf("%s %09d| %s | %s | %s | %s | %s | %s | %s | %d |", parts[1], n, parts[1], thousands(n), m.number(name, rate), m.number(name, "added/s"),
					m.duration(name, "cpu-sec/item"), m.duration(name, "server-sec/item"), m.number(name, "MiB-above-start"), len(units[rate])))
			}
		}
		if len(rows) == 0 {
			continue
		}
		slices.Sort(rows)
		b.WriteString(kind.title + "\n\n| store | " + kind.size + " | a second | stored before, a second | processor time of the program, each | of the server, each | heap above the start, MiB | turns |\n|---|---|---|---|---|---|---|---|\n")
		for _, r := range rows {
			_, r, _ = strings.Cut(r, "|")
			b.WriteString("|" + r + "\n")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func (s samples) duration(name, unit string) string {
	if len(s[name][unit]) == 0 {
		return ""
	}
	d := time.Duration(median(s[name][unit]) * 1e9)
	switch {
	case d > 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d > time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(10 * time.Nanosecond).String()
}

func (s samples) number(name, unit string) string {
	if len(s[name][unit]) == 0 {
		return ""
	}
	return thousands(int(median(s[name][unit]) + 0.5))
}

// thousands formats a number with commas.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0 && text[at-1] != '-'; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
