package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/qredo-go/qredo"
)

// The states of a finding.
const (
	findingOK      = "ok"
	findingWarning = "warning" // works here, may not elsewhere
	findingFault   = "fault"
)

// finding is what one check has found. Its code stays the same between versions.
type finding struct {
	Code    string
	Status  string
	Finding string
	Remedy  string
}

// diagnosis collects what is found.
type diagnosis struct {
	app       *app
	publicKey string // file that should belong to the private key
	findings  []finding
	faults    int

	auth *qredo.RSAAuth // set once the keys are good
	base string         // set once the base URL is good
}

func (d *diagnosis) add(f finding) {
	f.Finding, f.Remedy = plain(f.Finding), plain(f.Remedy)
	d.findings = append(d.findings, f)
}

func (d *diagnosis) ok(code, format string, args ...any) {
	d.add(finding{code, findingOK, fmt.Sprintf(format, args...), ""})
}

func (d *diagnosis) warn(code, remedy, format string, args ...any) {
	d.add(finding{code, findingWarning, fmt.Sprintf(format, args...), remedy})
}

func (d *diagnosis) fault(code, remedy, format string, args ...any) {
	d.add(finding{code, findingFault, fmt.Sprintf(format, args...), remedy})
	d.faults++
}

// report prints the findings. Faults make it an error.
func (d *diagnosis) report() error {
	a := d.app
	for _, f := range d.findings {
		if a.json() {
			if err := a.jsonLine(f); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(a.out, "%s  %s: %s\n", a.paint(f.Status)+strings.Repeat(" ", len(findingWarning)-len(f.Status)), f.Code, f.Finding)
		if f.Remedy != "" {
			fmt.Fprintf(a.out, "%s  → %s\n", strings.Repeat(" ", len(findingWarning)), f.Remedy)
		}
	}
	switch d.faults {
	case 0:
		return nil
	case 1:
		return errors.New("1 fault found")
	}
	return fmt.Errorf("%d faults found", d.faults)
}
