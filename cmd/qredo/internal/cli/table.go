package cli

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/width"

	"github.com/qredo-go/qredo"
)

// cell is the content of a table cell: text, or a figure with its unit.
type cell struct {
	text   string
	figure bool
}

// tableColumn is a column with its cells.
type tableColumn struct {
	column
	title string
	cells []cell
	lines []string // the cells as they are printed, all of one width
	wide  int
}

// printTable prints objects as a table. If the terminal is too narrow for all columns, those with the highest rank are left
// out, and a line says which. An ID is never shortened.
func (a *app) printTable(items []any, columns []column) {
	if len(items) == 0 && a.terminal.out {
		fmt.Fprintln(a.err, a.dim("none"))
		return
	}
	wide := a.format.output == outputWide || a.format.columns != nil
	if !wide {
		columns = slices.DeleteFunc(slices.Clone(columns), func(c column) bool { return c.rank == wideOnly })
	}
	table := make([]tableColumn, len(columns))
	for i, c := range columns {
		table[i] = tableColumn{column: c}
		for _, item := range items {
			table[i].cells = append(table[i].cells, a.cell(item, c.name))
		}
	}
	for i := range table {
		table[i].dropUnits(table)
	}
	for i := range table {
		table[i].align()
	}
	var left []string
	if !wide {
		table, left = a.fit(table)
	}
	for row := -1; row < len(items); row++ {
		fmt.Fprintln(a.out, a.row(table, row, wide))
	}
	if len(left) > 0 {
		fmt.Fprintln(a.out, a.dim("not shown: "+strings.Join(left, ", ")+" (-o wide shows all)"))
	}
}

// dropUnits leaves out the assets of amounts if a column that is always shown has them.
func (t *tableColumn) dropUnits(table []tableColumn) {
	hasAll := func(c tableColumn) bool {
		for i, made := range t.cells {
			if _, unit, _ := strings.Cut(made.text, " "); c.rank > 0 || made.figure && unit != c.cells[i].text {
				return false
			}
		}
		return true
	}
	if slices.ContainsFunc(table, hasAll) {
		for i, made := range t.cells {
			if made.figure {
				t.cells[i].text, _, _ = strings.Cut(made.text, " ")
			}
		}
	}
}

// align pads the cells of a column.
func (t *tableColumn) align() {
	t.title = heading(t.name)
	figures := slices.ContainsFunc(t.cells, func(c cell) bool { return c.figure })
	if figures {
		t.lines = alignFigures(t.cells)
	} else {
		for _, made := range t.cells {
			t.lines = append(t.lines, made.text)
		}
	}
	t.wide = columnsWide(t.title)
	for _, line := range t.lines {
		t.wide = max(t.wide, columnsWide(line))
	}
	if figures {
		behind := figuresEnd(t.lines) - columnsWide(t.title)
		t.title = strings.Repeat(" ", max(0, behind)) + t.title
		for i, line := range t.lines {
			t.lines[i] = strings.Repeat(" ", max(0, -behind)) + line
			t.wide = max(t.wide, columnsWide(t.lines[i]))
		}
		t.wide = max(t.wide, columnsWide(t.title))
	}
}

// heading is the title of a column: "partner_txID" is PARTNER TX ID, "statusDetails.asset" is ASSET.
func heading(name string) string {
	return strings.ToUpper(label(name[strings.LastIndex(name, ".")+1:]))
}

// cell is an object's field as a table shows it.
func (a *app) cell(item any, path string) cell {
	parent, v, goName := find(reflect.ValueOf(item), path)
	for v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if !v.IsValid() {
		return cell{}
	}
	if v.Type() == reflect.TypeFor[qredo.Amount]() {
		if instead := moved(parent); instead != "" {
			return cell{text: plain(instead)}
		}
		return cell{a.text(v, assetBeside(parent, goName)), true}
	}
	text := a.text(v, "")
	_, _, isText := scalar(v)
	return cell{text, !isText && (v.CanInt() || v.CanUint() || v.CanFloat())}
}

// alignFigures aligns figures by their decimal points, and their units on the left.
func alignFigures(cells []cell) []string {
	type parts struct{ whole, fraction, unit string }
	split := make([]parts, len(cells))
	var whole, fraction int
	for i, c := range cells {
		if !c.figure {
			continue
		}
		number, unit, _ := strings.Cut(c.text, " ")
		p := parts{number, "", unit}
		if at := strings.IndexByte(number, '.'); at >= 0 {
			p.whole, p.fraction = number[:at], number[at:]
		}
		split[i] = p
		whole, fraction = max(whole, len(p.whole)), max(fraction, len(p.fraction))
	}
	lines := make([]string, len(cells))
	for i, c := range cells {
		if lines[i] = c.text; c.figure {
			p := split[i]
			line := strings.Repeat(" ", whole-len(p.whole)) + p.whole + p.fraction + strings.Repeat(" ", fraction-len(p.fraction))
			if p.unit != "" {
				line += " " + p.unit
			}
			lines[i] = line
		}
	}
	return lines
}

// figuresEnd is where the figures of aligned lines end and their units begin: the title goes above the figures.
func figuresEnd(lines []string) int {
	end := 0
	for _, line := range lines {
		number := strings.TrimLeft(line, " ")
		if at := strings.IndexByte(number, ' '); at >= 0 {
			number = number[:at]
		}
		end = max(end, len(line)-len(strings.TrimLeft(line, " "))+len(number))
	}
	return end
}

// counts is the rank of columns that a table narrows its gaps for instead of dropping them, such as a status.
const counts = 1

// fit leaves out columns until the table fits the terminal, and narrows the gaps if only that makes room for one that counts.
func (a *app) fit(table []tableColumn) (fitting []tableColumn, left []string) {
	shown, lost := a.fitting(table, gap)
	if lost {
		if closer, lost := a.fitting(table, gap-1); !lost {
			shown = closer
			for i := range table {
				table[i].wide--
			}
		}
	}
	for i, c := range table {
		if shown[i] {
			fitting = append(fitting, c)
		} else {
			left = append(left, c.name)
		}
	}
	return fitting, left
}

const gap = 2 // between columns

// fitting returns which columns are shown with a given gap, and whether one that counts is missing. Empty columns go first,
// then those with the highest rank. Columns that fit beside the rest are taken back.
func (a *app) fitting(table []tableColumn, gap int) (shown []bool, lost bool) {
	shown = make([]bool, len(table))
	total := -gap
	for i, c := range table {
		shown[i] = true
		total += c.wide + gap
	}
	var gone []int
	for a.width > 0 && total > a.width {
		worst := -1
		for i, c := range table {
			if shown[i] && c.rank > 0 && (worst < 0 || c.priority() >= table[worst].priority()) {
				worst = i
			}
		}
		if worst < 0 {
			return shown, true
		}
		gone = append(gone, worst)
		shown[worst] = false
		total -= table[worst].wide + gap
	}
	for _, i := range slices.Backward(gone) {
		if total+table[i].wide+gap <= a.width {
			shown[i] = true
			total += table[i].wide + gap
		}
		lost = lost || !shown[i] && table[i].priority() <= counts
	}
	return shown, lost
}

func (t tableColumn) priority() int {
	if !slices.ContainsFunc(t.cells, func(c cell) bool { return c.text != "" }) {
		return wideOnly // nothing is lost without it
	}
	return t.rank
}

// row is a line of a table; -1 is its heading.
func (a *app) row(table []tableColumn, n int, wide bool) string {
	var line strings.Builder
	before := 0
	for i, c := range table {
		text, paint := c.title, a.bold
		if n >= 0 {
			text, paint = c.lines[n], a.paint
		}
		if i == len(table)-1 {
			text = strings.TrimRight(text, " ")
			if !wide && !c.id {
				text = a.wrap(text, before)
			}
			line.WriteString(paint(text))
			break
		}
		line.WriteString(paint(text) + strings.Repeat(" ", c.wide+gap-columnsWide(text)))
		before += c.wide + gap
	}
	return strings.TrimRight(line.String(), " ")
}

// columnsWide is how many terminal columns a text takes.
func columnsWide(text string) int {
	n := 0
	for _, r := range text {
		switch kind := width.LookupRune(r).Kind(); {
		case unicode.In(r, unicode.Mn, unicode.Me):
		case kind == width.EastAsianWide || kind == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}
