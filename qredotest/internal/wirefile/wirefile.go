// Package wirefile reads the files of fixtures: an operation, the request that it sends, and the service's answer.
package wirefile

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
)

// File is one file.
type File struct {
	Name      string          `json:"-"` // of the file, without its ending: "funds_create"
	Operation string          `json:"operation"`
	Path      string          `json:"path"`
	Query     string          `json:"query"` // encoded, without the question mark
	Request   json.RawMessage `json:"request"`
	Status    int             `json:"status"`
	Response  json.RawMessage `json:"response"`
}

// Read reads all files of a folder, by their names. It panics where one is wrong: it is compiled in.
func Read(files embed.FS, folder string) []File {
	entries, err := files.ReadDir(folder)
	if err != nil {
		panic(err)
	}
	read := make([]File, 0, len(entries))
	for _, entry := range entries {
		data, err := files.ReadFile(path.Join(folder, entry.Name()))
		if err != nil {
			panic(err)
		}
		f, err := Parse(data)
		if err != nil {
			panic(entry.Name() + ": " + err.Error())
		}
		f.Name = strings.TrimSuffix(entry.Name(), ".json")
		read = append(read, f)
	}
	slices.SortFunc(read, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return read
}

// Parse reads what is in a file. Request and answer lose their white space, as they have none on the wire.
func Parse(data []byte) (File, error) {
	var f File
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&f); err != nil {
		return f, err
	}
	if decoder.More() {
		return f, fmt.Errorf("there is more behind it")
	}
	for _, part := range []*json.RawMessage{&f.Request, &f.Response} {
		if *part == nil {
			continue
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, *part); err != nil {
			return f, err
		}
		*part = compact.Bytes()
	}
	return f, nil
}

// Method and Template are the two parts of the operation.
func (f File) Method() string { m, _, _ := strings.Cut(f.Operation, " "); return m }

// Call names the client's method, as "Funds.ListLedger", that sends the request: the one that methods has whose name is the
// file's, in small letters.
func (f File) Call(methods []string) string {
	for _, m := range methods {
		if strings.ToLower(strings.ReplaceAll(m, ".", "")) == strings.ReplaceAll(f.Name, "_", "") {
			return m
		}
	}
	return ""
}
