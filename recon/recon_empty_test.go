package recon_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/recon"
)

// TestNothingIsNoProof: where nothing was looked at, nothing is right.
func TestNothingIsNoProof(t *testing.T) {
	client, err := qredo.NewClient(&qredo.ProofAuth{}, qredo.WithBaseURL("http://127.0.0.1:1/api/v1/p"))
	require.NoError(t, err)
	books, err := recon.New(client.Funds, client.Wallets)
	require.NoError(t, err)
	_, err = books.Prove(t.Context(), "company")
	var invalid *qredo.ValidationError
	require.ErrorAs(t, err, &invalid)
	assert.False(t, (&recon.Report{}).OK())
}
