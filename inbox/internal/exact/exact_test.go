package exact_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/inbox/internal/exact"
)

func TestJSON(t *testing.T) {
	type value struct {
		Text string         `json:"text,omitzero"`
		At   time.Time      `json:"at,omitzero"`
		N    map[string]int `json:"n,omitzero"`
		F    float64        `json:"f,omitzero"`
	}
	utc := time.Date(2026, 3, 1, 12, 0, 0, 123_456_789, time.UTC)
	for _, v := range []value{{}, {Text: "a\x00☃\uFFFD\u2028"}, {At: utc}, {N: map[string]int{}}, {N: map[string]int{"a": 1}}} {
		data, err := exact.JSON(v)
		require.NoError(t, err)
		assert.NotEmpty(t, data)
	}
	for _, v := range []value{
		{Text: "\xff"}, {N: map[string]int{"\xff": 1}}, {At: time.Now()}, {F: math.Inf(1)},
		{At: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		_, err := exact.JSON(v)
		require.Error(t, err, "%v", v)
	}
}
