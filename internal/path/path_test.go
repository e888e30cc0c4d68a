package path_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/qredo-go/qredo/internal/path"
)

func TestExpand(t *testing.T) {
	for name, test := range map[string]struct {
		template string
		ids      []string
		want     string
		problem  *path.Problem
	}{
		"no IDs":       {"/assets", nil, "/assets", nil},
		"two":          {"/company/{company_id}/fund/{fund_id}/wallet", []string{"c", "f"}, "/company/c/fund/f/wallet", nil},
		"escaped":      {"/company/{company_id}", []string{"a&bé+;c"}, "/company/a&b%C3%A9+%3Bc", nil},
		"a short code": {"/wallet/{wallet_id}", []string{"three small words"}, "/wallet/three%20small%20words", nil},
		"empty":        {"/company/{company_id}", []string{""}, "", &path.Problem{Field: "company_id", Rule: "must not be empty"}},
		"another path": {"/company/{company_id}", []string{"a/b"}, "", &path.Problem{Field: "company_id", Rule: `must not contain '/', is "a/b"`}},
		"one too few":  {"/company/{company_id}/fund/{fund_id}", []string{"c"}, "", &path.Problem{Field: "fund_id", Rule: "must be given"}},
		"none":         {"/company/{company_id}", nil, "", &path.Problem{Field: "company_id", Rule: "must be given"}},
		"one too many": {"/company/{company_id}", []string{"c", "f"}, "", &path.Problem{Field: "path", Rule: "must have a place for each ID, has 1 for 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, problem := path.Expand(test.template, test.ids)
			assert.Equal(t, test.want, got)
			assert.Equal(t, test.problem, problem)
		})
	}
}
