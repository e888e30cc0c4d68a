package main

import "fmt"

// row is a target: what was measured, and what it has to be.
type row struct {
	what        string
	top, bottom string // benchmarks; an absolute figure has no bottom
	unit        string
	limit       float64
	atLeast     bool    // the limit is a minimum, not a maximum; a limit of 0 means none
	format      string  // of what was measured
	scale       float64 // of it, before the comparison with the limit; 1 if 0
	less        string  // a benchmark that is part of the top: twice its value is subtracted
	ifMissed    string  // the reason, according to profiles
}

// work is the processor time of a program and its server for each item.
const work = "work-sec/item"

const second, processor, bytesEach, allocations, perSecond = "sec/op", "cpu-sec/op", "B/op", "allocs/op", "requests/s"

// ratio is one benchmark by another, its maximum, and the reason if it is exceeded.
func ratio(what, top, bottom, unit string, limit float64, ifMissed string) row {
	return row{what: what, top: top, bottom: bottom, unit: unit, limit: limit, format: "%.3f", ifMissed: ifMissed}
}

func figure(what, name, unit string, limit float64, format, ifMissed string) row {
	return row{what: what, top: name, unit: unit, limit: limit, format: format, ifMissed: ifMissed}
}

func atLeast(r row) row {
	r.atLeast = true
	return r
}

func scaled(r row, scale float64) row {
	r.scale = scale
	return r
}

const (
	sameCores = "The server of the benchmark works on the same cores, and what it takes is counted too. Nearly all of the client's own time is the signature."
	ofLoad    = "The rest is net/http, the kernel and the garbage collector: a client of net/http alone is beside it below (limit-of-signatures)."
	ofHTTP    = "net/http allocates most of it: the row of Get/limit below is a client of net/http, crypto/rsa and encoding/json alone."
	ofDecoder = "In a profile the most is reading the numbers and strings of entries, and then what they are kept in."
	ofSandbox = "In a profile a request's verification is the most of it; the rest is net/http, the kernel, and making the answer."
	ofSigner  = "The processor has no AVX-512 IFMA, or the library is not used: the line on top says which it is."
	ofLog     = "Each request is written down with its answer."
	ofGrowth  = "Caches of the processor hold what 1,000 transactions need, and not what a million do."
	ofHeap    = "It does not grow with the ledger; what is above is garbage, which is collected later where others use the cores."
	ofInbox   = "Garbage is in it, which is collected later where others use the cores; what else grows was not looked into."
	ofFeed    = "It takes calls, one after the other, on cores that the server shares."
)

// targets are the targets of comparisons, in the order of the table.
func targets(ifma bool) []row {
	signer := 1.3
	if ifma {
		signer = 2
	}
	list := []row{
		ratio("signed GET ÷ limit, time", "Get/qredo", "Get/limit", second, 1.05, sameCores),
		ratio("signed POST ÷ limit, time", "Post/qredo", "Post/limit", second, 1.05, sameCores),
		ratio("free-signer GET ÷ generated, time", "GetFree/qredo", "GetFree/generated", second, 0.9, ofHTTP),
		ratio("free-signer GET ÷ generated, processor time", "GetFree/qredo", "GetFree/generated", processor, 0.9, ofHTTP),
		ratio("free-signer POST ÷ generated, time", "PostFree/qredo", "PostFree/generated", second, 0.9, ofHTTP),
		ratio("free-signer POST ÷ generated, processor time", "PostFree/qredo", "PostFree/generated", processor, 0.9, ofHTTP),
		figure("allocations of a GET", "GetFree/qredo", allocations, 80, "%.0f", ofHTTP),
		figure("allocations of a POST", "PostFree/qredo", allocations, 80, "%.0f", ofHTTP),
		figure("free-signer GET ÷ generated, the client's processor alone, 64 goroutines", "FreePair/get/goroutines=64", "of-generated", 0.9, "%.3f", ofHTTP),
		figure("free-signer POST ÷ generated, the client's processor alone, 64 goroutines", "FreePair/post/goroutines=64", "of-generated", 0.9, "%.3f", ofHTTP),
		atLeast(figure("64 goroutines: what signatures alone take ÷ what calls take, the client's processor, Go's signer", "Load64/go", "of-signatures", 0.95, "%.3f", ofLoad)),
		atLeast(figure("the same with libcrypto", "Load64/libcrypto", "of-signatures", 0.95, "%.3f", ofLoad)),
		atLeast(figure("libcrypto: as fast as Go's signatures, 2048 bits, times", "Signers/2048", "ratio", signer, "%.2f", ofSigner)),
		atLeast(figure("libcrypto: 4096 bits, times", "Signers/4096", "ratio", signer, "%.2f", ofSigner)),
		atLeast(figure("signed call with libcrypto: as fast as with Go's signer, times", "SignedCalls", "ratio", 2, "%.2f", ofSigner)),
	}
	for _, what := range []string{"Ledger", "History"} {
		name := what + "10k/"
		text := map[string]string{"Ledger": "ledger of 10,000", "History": "history of 10,000"}[what]
		list = append(list,
			ratio(text+" ÷ generated, time", name+"qredo", name+"generated", second, 0.6, ofDecoder),
			ratio(text+" ÷ generated, processor time", name+"qredo", name+"generated", processor, 0.6, ofDecoder),
			ratio(text+" ÷ generated, bytes", name+"qredo", name+"generated", bytesEach, 1, ofDecoder),
			ratio(text+" ÷ generated, allocations", name+"qredo", name+"generated", allocations, 0.7, ofDecoder))
	}
	list = append(list,
		figure("LedgerAll over 1,000,000: heap above the start, MiB", "LedgerAll", "MiB-above-start", 16, "%.1f", ofHeap),
		row{what: "feed message → approval, beyond two signatures, ms", top: "Approval", less: "Signature", unit: second, limit: 1, scale: 1e3, format: "%.2f", ifMissed: ofFeed},
		scaled(figure("inbox: deposit → handler, with the wallets feed, ms", "InboxFeed", second, 100, "%.1f", ofFeed), 1e3),
		atLeast(ratio("sandbox: signed reads a second ÷ verifications a second", "SandboxReads/clients=64", "SandboxReads/verifications", perSecond, 0.5, ofSandbox)),
		atLeast(ratio("sandbox: durable transfers a second of 64 clients ÷ of 1", "SandboxTransfers/durable/clients=64", "SandboxTransfers/durable/clients=1", perSecond, 2, "Where a disk syncs in less time than a request takes, there is nothing to share.")),
		figure("sandbox: what the log of requests costs, %", "SandboxLog", "%cost", 3, "%.1f", ofLog),
		figure("sandbox: what an open console and its reader cost, %", "SandboxLog", "%console", 3, "%.1f", ofLog),
	)
	for _, request := range []string{"wallet", "ledger", "tx", "transfer"} {
		name := "SandboxGrowth/" + request + "/transactions="
		list = append(list, ratio("sandbox: "+request+" at 1,000,000 transactions ÷ at 1,000, time", name+"1000000", name+"1000", second, 1.2, ofGrowth))
	}
	return list
}

// growth are the targets of curves.
func growth() []row {
	var list []row
	for _, store := range []string{"memory", "file", "redis", "postgres"} {
		name := "Reserve/" + store + "/payments="
		for _, n := range []int{100_000, 1_000_000} {
			list = append(list, ratio(fmt.Sprintf("approver: a decision with %s payments in the window ÷ with 1,000, processor time, %s", thousands(n), store),
				fmt.Sprint(name, n), name+"1000", work, 1.2, "A longer window has more levels to look through, and its pages no place in memory."))
		}
	}
	for _, store := range []string{"file", "postgres"} {
		for _, n := range []int{100_000, 1_000_000} {
			name := "InboxCurve/" + store + "/movements="
			list = append(list,
				ratio(fmt.Sprintf("inbox: a movement of %s ÷ of 1,000, processor time, %s", thousands(n), store), fmt.Sprint(name, n), name+"1000", work, 1.2,
					"With few movements the beginning is in it too; with many, the store's pages no longer fit in memory."),
				figure(fmt.Sprintf("inbox: a ledger of %s, %s: heap above the start, MiB", thousands(n), store), fmt.Sprint(name, n), "MiB-above-start", 16, "%.1f", ofInbox))
			name = "Curve/" + store + "/payments="
			list = append(list, ratio(fmt.Sprintf("outbox: a payment of %s ÷ of 1,000, processor time, %s", thousands(n), store), fmt.Sprint(name, n), name+"1000", work, 1.2,
				"Rows that nobody has vacuumed yet, and longer indexes, are to be looked through."))
		}
	}
	for _, n := range []int{1000, 10_000, 100_000, 1_000_000} {
		ours, theirs := fmt.Sprint("Curve/postgres/payments=", n), fmt.Sprint("Curve/river/payments=", n)
		list = append(list,
			ratio(fmt.Sprintf("outbox in PostgreSQL: payments a second ÷ River's, %s", thousands(n)), ours, theirs, "items/s", 0, ""),
			ratio(fmt.Sprintf("the same, processor time, %s", thousands(n)), ours, theirs, work, 0, ""))
	}
	return list
}
