package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"github.com/qredo-go/qredo/internal/durable"
)

// keptFor is how long what was listed for completions counts. Nothing but completions reads it.
const keptFor = time.Minute

// keptList is a list in the folder for what can be listed again.
type keptList struct {
	Listed time.Time `json:"listed"`
	Things []thing   `json:"things"`
}

// kept returns a list that was made a moment ago, or makes it and keeps it. Keeping is best effort.
func (a *app) kept(by []string, list func() ([]thing, error)) ([]thing, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return list()
	}
	dir = filepath.Join(dir, "qredo", "completion")
	path := filepath.Join(dir, digest(by...)+".json")
	if things, found := a.readKept(path); found {
		return things, nil
	}
	things, err := list()
	if err == nil {
		a.dropKept(dir)
		_ = keep(path, keptList{a.now(), things})
	}
	return things, err
}

func (a *app) readKept(path string) ([]thing, bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, false
	}
	var was keptList
	if json.Unmarshal(data, &was) != nil {
		return nil, false
	}
	age := a.now().Sub(was.Listed)
	return was.Things, age >= 0 && age < keptFor // one from the future has another clock
}

func keep(path string, list keptList) error {
	data, err := json.Marshal(list)
	if err != nil {
		return err
	}
	if err := durable.MkdirAll(filepath.Dir(path)); err != nil {
		return err
	}
	return durable.Replace(path, data)
}

// dropKept removes what counts no more: what a service has is not to lie about for ever.
func (a *app) dropKept(dir string) {
	files, _ := os.ReadDir(dir)
	for _, f := range files {
		if info, err := f.Info(); err == nil && info.Mode().IsRegular() && a.now().Sub(info.ModTime()) > keptFor {
			_ = os.Remove(filepath.Join(dir, f.Name()))
		}
	}
}
