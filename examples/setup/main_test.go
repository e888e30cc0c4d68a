package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out), out.String())
	assert.Contains(t, out.String(), "the same fund, with the same wallets")
	assert.Contains(t, out.String(), "custodygroup_tx.threshold of the fund is 2, not 1")
}

// Set up twice, everything is there once.
func TestSetUpTwice(t *testing.T) {
	srv, err := sandbox.Start()
	require.NoError(t, err)
	defer srv.Close()
	_, err = srv.CreateUser(sandbox.User{Email: "alice@example.com"})
	require.NoError(t, err)
	_, err = setUp(t.Context(), srv.Client(), 1)
	require.ErrorIs(t, err, qredo.ErrNotAccepted)
	companies, err := srv.Client().Companies.List(t.Context())
	require.NoError(t, err)
	require.NoError(t, srv.Accept("alice@example.com", companies[0].ID))
	for range 2 {
		_, err = setUp(t.Context(), srv.Client(), 1)
		require.NoError(t, err)
	}
	state, err := srv.State()
	require.NoError(t, err)
	require.Len(t, state.Companies, 1)
	require.Len(t, state.Companies[0].Funds, 1)
	assert.Len(t, state.Companies[0].Funds[0].Wallets, 2)
	clients, err := srv.Client().CoreClients.List(t.Context())
	require.NoError(t, err)
	assert.Len(t, clients, 1)
}
