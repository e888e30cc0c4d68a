package main

// ownWords begins what is said of a licence whose words are not among those that are known: a person has read it.
const ownWords = "read: "

// listed are modules of tests and tools with licences that are not allowed in what ships, or whose files say more than a licence's words, with
// what they are. Nobody who imports this module, or runs the command, gets them.
var listed = map[string]string{
	// go-ethereum's libraries are LGPL-3.0; it judges the sandbox's transactions, and signs in an example. Each is a module of its own.
	"github.com/ethereum/go-ethereum": "BSD-3-Clause AND GPL-3.0 AND LGPL-3.0",

	// River is what the outbox is measured against.
	"github.com/riverqueue/river":                        "MPL-2.0",
	"github.com/riverqueue/river/riverdriver":            "MPL-2.0",
	"github.com/riverqueue/river/riverdriver/riverpgxv5": "MPL-2.0",
	"github.com/riverqueue/river/rivershared":            "MIT AND MPL-2.0",
	"github.com/riverqueue/river/rivertype":              "MPL-2.0",
	"github.com/alicebob/miniredis/v2":                   ownWords + "MIT, with a hash function under Apache-2.0, BSL-1.0 and the Unlicense",
	"github.com/opencontainers/go-digest":                ownWords + "Apache-2.0; its documents CC-BY-SA-4.0",
	"github.com/tonistiigi/go-csvvalue":                  ownWords + "MIT",

	// golangci-lint, and linters in it.
	"github.com/golangci/golangci-lint/v2":       "BSD-3-Clause AND GPL-3.0",
	"github.com/OpenPeeDeeP/depguard/v2":         "GPL-3.0",
	"github.com/denis-tingaikin/go-header":       "GPL-3.0",
	"github.com/firefart/nonamedreturns":         "GPL-3.0",
	"github.com/ldez/structtags":                 "GPL-3.0",
	"github.com/leonklingele/grouper":            "GPL-3.0",
	"github.com/xen0n/gosmopolitan":              "GPL-3.0",
	"github.com/hashicorp/go-immutable-radix/v2": "MPL-2.0",
	"github.com/hashicorp/go-version":            "MPL-2.0",
	"github.com/hashicorp/golang-lru/v2":         ownWords + "MPL-2.0; a list of Go's, BSD-3-Clause",
	"github.com/hashicorp/hcl":                   "MPL-2.0",
	"go-simpler.org/musttag":                     "MPL-2.0",
	"go-simpler.org/sloglint":                    "MPL-2.0",
	"github.com/alecthomas/chroma/v2":            ownWords + "MIT; fonts OFL-1.1",
	"github.com/alecthomas/go-check-sumtype":     ownWords + "MIT or Unlicense",
	"github.com/alfatraining/structtag":          ownWords + "BSD-3-Clause",
	"github.com/fatih/structtag":                 ownWords + "BSD-3-Clause",
	"github.com/dave/dst":                        ownWords + "MIT AND BSD-3-Clause",
	"github.com/nishanths/exhaustive":            ownWords + "BSD-2-Clause AND BSD-3-Clause",
	"github.com/nishanths/predeclared":           ownWords + "BSD-3-Clause",
	"github.com/pelletier/go-toml/v2":            ownWords + "MIT",
	"github.com/quasilyte/gogrep":                ownWords + "MIT AND BSD-3-Clause",
	"github.com/securego/gosec/v2":               ownWords + "Apache-2.0",
	"github.com/sourcegraph/go-diff":             ownWords + "MIT",
	"honnef.co/go/tools":                         ownWords + "MIT AND BSD-3-Clause",

	// cyclonedx-gomod, which writes the bills of materials, and what it is made of.
	"github.com/CycloneDX/cyclonedx-go":         ownWords + "Apache-2.0",
	"github.com/CycloneDX/cyclonedx-gomod":      ownWords + "Apache-2.0",
	"github.com/emirpasic/gods":                 ownWords + "BSD-2-Clause AND ISC",
	"github.com/go-enry/go-license-detector/v4": ownWords + "Apache-2.0",
	"github.com/go-git/gcfg":                    ownWords + "BSD-3-Clause",
	"github.com/hhatto/gorst":                   ownWords + "MIT; parts MIT or GPL-2.0",
	"github.com/kevinburke/ssh_config":          ownWords + "MIT",
}
