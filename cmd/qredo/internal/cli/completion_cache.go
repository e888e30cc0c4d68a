package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"github.com/qredo-go/qredo/internal/durable"
)

// keptFor is how long a list for completions stays valid. Only completions read it.
const keptFor = time.Minute

// keptList is a list in the user's cache folder.
type keptList struct {
	Listed time.Time `json:"listed"`
	Things []thing   `json:"things"`
}

// kept returns a list from the cache, or lists again and caches it, on a best-effort basis.
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
	return was.Things, age >= 0 && age < keptFor // a time in the future comes from another clock
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

// dropKept removes expired lists: a service's data should not lie around for ever.
func (a *app) dropKept(dir string) {
	files, _ := os.ReadDir(dir)
	for _, f := range files {
		if info, err := f.Info(); err == nil && info.Mode().IsRegular() && a.now().Sub(info.ModTime()) > keptFor {
			_ = os.Remove(filepath.Join(dir, f.Name()))
		}
	}
}
