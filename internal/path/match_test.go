package path_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/qredo-go/qredo/internal/path"
)

func TestMatch(t *testing.T) {
	split := func(text string) []string { return strings.Split(text, "/") }
	for name, test := range map[string]struct {
		template, path string
		want           map[string]string // nil: it does not match
	}{
		"no placeholder":             {"/assets", "/assets", map[string]string{}},
		"one":                        {"/wallet/{wallet_id}", "/wallet/w-1", map[string]string{"wallet_id": "w-1"}},
		"several":                    {"/a/{x}/b/{y}", "/a/1/b/2", map[string]string{"x": "1", "y": "2"}},
		"escaped":                    {"/wallet/{wallet_id}", "/wallet/maple%20otter%2Fx", map[string]string{"wallet_id": "maple otter/x"}},
		"what has braces":            {"/wallet/{wallet_id}", "/wallet/{wallet_id}", map[string]string{"wallet_id": "{wallet_id}"}},
		"an escape that is none":     {"/wallet/{wallet_id}", "/wallet/%zz", nil},
		"an empty ID":                {"/wallet/{wallet_id}", "/wallet/", nil},
		"shorter":                    {"/wallet/{wallet_id}", "/wallet", nil},
		"longer":                     {"/wallet/{wallet_id}", "/wallet/w/history", nil},
		"another word":               {"/wallet/{wallet_id}", "/wallets/w", nil},
		"another case":               {"/assets", "/Assets", nil},
		"an escaped word":            {"/assets", "/%61ssets", nil},
		"a slash more":               {"/assets", "/assets/", nil},
		"a slash more at the begin":  {"/assets", "//assets", nil},
		"what is before the first /": {"/assets", "x/assets", nil},
	} {
		got, matches := path.Match(split(test.template), split(test.path))
		assert.Equal(t, test.want != nil, matches, name)
		assert.Equal(t, test.want, got, name)
	}
}
