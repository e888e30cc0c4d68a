package access

// Run is a part of a text that is the same in another text, or is not.
type Run struct {
	Text    string
	Differs bool
}

// mostCompared is how many pairs of characters are compared: thousands of characters of either text, between where they
// begin and end alike.
const mostCompared = 4 << 20

// Compare cuts two texts into runs, which show people where they differ: what they have in common is as long as can be.
// Where too much of them differs for finding that out, all between what they begin and end with does.
func Compare(first, second string) (inFirst, inSecond []Run) {
	a, b := []rune(first), []rune(second)
	end := common(len(a), len(b), func(i int) bool { return a[len(a)-1-i] == b[len(b)-1-i] })
	same := a[len(a)-end:]
	a, b = a[:len(a)-end], b[:len(b)-end]
	if len(a)*len(b) > mostCompared {
		begin := common(len(a), len(b), func(i int) bool { return a[i] == b[i] })
		inFirst, inSecond = addRun(nil, a[:begin], false), addRun(nil, b[:begin], false)
		a, b = a[begin:], b[begin:]
	}
	if len(a)*len(b) > mostCompared {
		inFirst, inSecond = addRun(inFirst, a, true), addRun(inSecond, b, true)
	} else {
		keepA, keepB := longest(a, b)
		inFirst, inSecond = addKept(inFirst, a, keepA), addKept(inSecond, b, keepB)
	}
	return addRun(inFirst, same, false), addRun(inSecond, same, false)
}

func common(a, b int, same func(i int) bool) int {
	n := 0
	for n < min(a, b) && same(n) {
		n++
	}
	return n
}

// longest tells which characters of either belong to the longest text that both have in them. Where there are several, it is
// the one that lies furthest to the end: what was put in before it is marked whole.
func longest(a, b []rune) (keepA, keepB []bool) {
	keepA, keepB = make([]bool, len(a)), make([]bool, len(b))
	width := len(b) + 1
	lengths := make([]uint16, (len(a)+1)*width) // of what the first i and the first j have in common
	for i := range a {
		for j := range b {
			if a[i] == b[j] {
				lengths[(i+1)*width+j+1] = lengths[i*width+j] + 1
			} else {
				lengths[(i+1)*width+j+1] = max(lengths[i*width+j+1], lengths[(i+1)*width+j])
			}
		}
	}
	for i, j := len(a), len(b); i > 0 && j > 0; {
		switch {
		case a[i-1] == b[j-1]:
			i, j = i-1, j-1
			keepA[i], keepB[j] = true, true
		case lengths[(i-1)*width+j] >= lengths[i*width+j-1]:
			i--
		default:
			j--
		}
	}
	return keepA, keepB
}

func addKept(runs []Run, text []rune, keep []bool) []Run {
	for from, to := 0, 0; to < len(text); from = to {
		for to < len(text) && keep[to] == keep[from] {
			to++
		}
		runs = addRun(runs, text[from:to], !keep[from])
	}
	return runs
}

func addRun(runs []Run, text []rune, differs bool) []Run {
	switch last := len(runs) - 1; {
	case len(text) == 0:
		return runs
	case last >= 0 && runs[last].Differs == differs:
		runs[last].Text += string(text)
		return runs
	}
	return append(runs, Run{string(text), differs})
}
