package cli

import (
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

// finding is the result of one check. Its code stays the same between versions.
type finding struct {
	Code    string `json:"code"`
	Status  string `json:"status"`
	Finding string `json:"finding"`
	Remedy  string `json:"remedy"`
}

// diagnosis collects the findings.
type diagnosis struct {
	app       *app
	publicKey string // file that should belong to the private key
	findings  []finding
	faults    int

	api  diagnosedAPI
	auth qredo.Authenticator // of the API; set once the keys are good
	base string              // of the API; set once the base URL is good
}

// diagnosedAPI is what differs between the two APIs.
type diagnosedAPI struct {
	code string // what the codes of findings begin with
	path string // what base URLs end with
	look string // the path of a request that changes nothing
}

var (
	diagnosedPartner = diagnosedAPI{"", partnerPath, "/assets"}
	diagnosedQAPI    = diagnosedAPI{"qapi-", qapiPath, "/balance"}
)

func (d *diagnosis) add(f finding) {
	f.Code = d.api.code + f.Code
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

// report prints the findings. It returns an error if there are faults.
func (d *diagnosis) report() error {
	a := d.app
	for _, f := range d.findings {
		if a.json() {
			if err := a.item(f); err != nil {
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
		return foundf("1 fault found")
	}
	return foundf("%d faults found", d.faults)
}
