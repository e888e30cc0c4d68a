package worldfile

import (
	"embed"
	"path"
	"strings"
)

//go:embed worlds
var worlds embed.FS

// BuiltIn returns the worlds that come with the sandbox, by name: the texts of their files.
func BuiltIn() map[string][]byte {
	list := map[string][]byte{}
	files, _ := worlds.ReadDir("worlds") // embedded
	for _, file := range files {
		data, _ := worlds.ReadFile(path.Join("worlds", file.Name()))
		list[strings.TrimSuffix(file.Name(), ".yaml")] = data
	}
	return list
}
