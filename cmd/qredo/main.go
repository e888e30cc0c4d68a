// Command qredo works with the Partner API and Qredo API v1 from a shell, and runs the sandbox. See qredo --help.
package main

import (
	"os"

	"github.com/qredo-go/qredo/cmd/qredo/internal/cli"
)

func main() { os.Exit(cli.Main()) }
