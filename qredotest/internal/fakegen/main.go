// Command fakegen writes an interface and a fake for each service of a client, from the client's source: a file for each.
//
//	fakegen -source DIR -import PATH -package NAME
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	source := flag.String("source", "", "the folder of the client's source")
	path := flag.String("import", "", "the client's import path")
	name := flag.String("package", "", "the package that the fakes are in")
	out := flag.String("out", ".", "the folder that the files are written to")
	flag.Parse()
	files, err := Generate(*source, *path, *name)
	for file, text := range files {
		if err == nil {
			err = os.WriteFile(*out+"/"+file, text, 0o644) //nolint:gosec // it is source
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:forbidigo // it is func main
	}
}
