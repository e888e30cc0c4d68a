package scenario_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// The service's documents and what it was seen to do disagree in many places: internal/spec has them by
// number. Each row here is one of these places, and shows that the client reads every form, that it sends the
// one that is certain, or how the sandbox takes it.

// variants are the checks of one row, by what they show.
type variants map[string]func(t *testing.T, w *clienttest.World)

// variantRows is how many places of disagreement there are.
const variantRows = 57

func TestVariants(t *testing.T) {
	w := clienttest.NewWorld(t)
	rows := map[int]bool{}
	for _, table := range []map[int]variants{transactionRows, entityRows, clientRows} {
		for number, row := range table {
			require.False(t, rows[number], "row %d occurs twice", number)
			require.NotEmpty(t, row)
			rows[number] = true
			for name, check := range row {
				t.Run(fmt.Sprintf("row %02d: %s", number, name), func(t *testing.T) { check(t, w) })
			}
		}
	}
	for number := 1; number <= variantRows; number++ {
		assert.True(t, rows[number], "row %d has no case", number)
	}
	assert.Len(t, rows, variantRows, "%v", slices.Sorted(maps.Keys(rows)))
}

// reads shows that all bodies are read as the value that the first one, the main form, is read as.
func reads[T any](call func(context.Context, *qredo.Client) (T, error), want T, bodies ...string) func(*testing.T, *clienttest.World) {
	return func(t *testing.T, _ *clienttest.World) {
		for _, body := range bodies {
			got, err := call(t.Context(), clienttest.NewQuickClient(t, clienttest.AnswerWith(200, body)))
			require.NoError(t, err, body)
			require.Equal(t, want, got, body)
		}
	}
}

// succeeds shows that all answers, given as a status and a body, are successes.
func succeeds(call func(context.Context, *qredo.Client) error, answers ...string) func(*testing.T, *clienttest.World) {
	return func(t *testing.T, _ *clienttest.World) {
		for _, text := range answers {
			var status int
			_, err := fmt.Sscan(text, &status)
			require.NoError(t, err)
			_, body, _ := strings.Cut(text, " ")
			require.NoError(t, call(t.Context(), clienttest.NewQuickClient(t, clienttest.AnswerWith(status, body))), text)
		}
	}
}

func getTransfer(ctx context.Context, c *qredo.Client) (*qredo.Transaction, error) {
	return c.Transfers.Get(ctx, clienttest.CompanyID, "t")
}

func getWithdrawal(ctx context.Context, c *qredo.Client) (*qredo.Transaction, error) {
	return c.Transfers.GetWithdrawal(ctx, clienttest.CompanyID, "t")
}

func getWallet(ctx context.Context, c *qredo.Client) (*qredo.Wallet, error) {
	return c.Wallets.Get(ctx, "w")
}

func getFund(ctx context.Context, c *qredo.Client) (*qredo.Fund, error) {
	return c.Funds.Get(ctx, clienttest.CompanyID, "f")
}

func getAction(ctx context.Context, c *qredo.Client) (*qredo.Action, error) {
	return c.CoreClients.GetAction(ctx, "c", "a")
}

func createTransfer(ctx context.Context, c *qredo.Client) error {
	_, err := c.Transfers.Create(ctx, clienttest.CompanyID, clienttest.GoodTransfer(), qredo.WithoutPartnerTxID())
	return err
}
