// Command qredo signs, sends, operates and emulates: the Partner API and Qredo API v1 from a shell, and
// the sandbox as a program. See qredo --help.
package main

import (
	"os"

	"github.com/qredo-go/qredo/cmd/qredo/internal/cli"
)

func main() { os.Exit(cli.Main()) }
