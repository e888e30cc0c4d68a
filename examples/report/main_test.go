package main

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	path := filepath.Join(t.TempDir(), "ledger.csv")
	require.NoError(t, run(t.Context(), "", "", path, &out), out.String())

	var lines []string
	for line := range strings.Lines(out.String()) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	for _, line := range []string{"ASSET TOTAL AVAILABLE PENDING IN PENDING OUT", "BTC 1.0992 1.4996 0 0.4004", "ETH 2.5 2.5 0 0", "Fund Treasury: 4 entries"} {
		assert.Contains(t, lines, line)
	}

	text, err := os.ReadFile(path)
	require.NoError(t, err)
	checkRows(t, text)
}

func checkRows(t *testing.T, text []byte) {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 5)
	assert.Equal(t, "fund,time,tx_id,type,wallet,asset,amount,fees,net_amount,counterparty,reference", strings.Join(rows[0], ","))
	found := map[string]int{}
	for _, row := range rows[1:] {
		assert.Equal(t, "Treasury", row[0])
		found[strings.Join(row[3:], ",")]++
	}
	assert.Equal(t, map[string]int{
		"deposit,main,BTC,1.5,0,1.5,,":                 1,
		"deposit,gas,ETH,2.5,0,2.5,,":                  1,
		"transfer,main,BTC,0.4004,0.0004,0.4,Acme,May": 1,
		"transfer,payroll,BTC,0.4,0,0.4,Acme,May":      1,
	}, found)
}

func TestRunToStandardOutput(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), "", "", "", &out))
	assert.Contains(t, out.String(), "\nfund,time,tx_id,type")
}

// A server whose ledgers have whole units, as the service's document, has the same report. What they count must be said,
// and a wrong word for it ends the report instead of changing its figures.
func TestRunWithWholeUnits(t *testing.T) {
	const secret = "c2VjcmV0IG9mIGEga2V5"
	srv, err := sandbox.Start(sandbox.WithWholeUnits(), sandbox.WithHMACKey("key", secret))
	require.NoError(t, err)
	defer func() { require.NoError(t, srv.Close()) }()
	require.NoError(t, fill(t.Context(), srv))
	for name, value := range map[string]string{
		"QREDO_QAPI_KEY": "key", "QREDO_QAPI_SECRET": secret, "QREDO_QAPI_KEY_FILE": "", "QREDO_QAPI_SECRET_FILE": "",
	} {
		t.Setenv(name, value)
	}
	path := filepath.Join(t.TempDir(), "ledger.csv")
	require.NoError(t, run(t.Context(), srv.QAPIBaseURL(), "whole", path, &bytes.Buffer{}))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	checkRows(t, text)
	for figures, says := range map[string]string{"base": "is not in base units", "": "say with -figures", "wei": "say with -figures"} {
		require.ErrorContains(t, run(t.Context(), srv.QAPIBaseURL(), figures, "", &bytes.Buffer{}), says)
	}
}

func TestRunNeedsAKey(t *testing.T) {
	for _, name := range []string{"QREDO_QAPI_KEY", "QREDO_QAPI_KEY_FILE", "QREDO_QAPI_SECRET", "QREDO_QAPI_SECRET_FILE"} {
		t.Setenv(name, "")
	}
	require.ErrorContains(t, run(t.Context(), "https://example.com/qapi/v1", "base", "", &bytes.Buffer{}), "QREDO_QAPI_KEY")
	t.Setenv("QREDO_QAPI_KEY", "key")
	require.ErrorContains(t, run(t.Context(), "https://example.com/qapi/v1", "base", "", &bytes.Buffer{}), "QREDO_QAPI_SECRET")
	t.Setenv("QREDO_QAPI_SECRET", "c2VjcmV0IG9mIGEga2V5")
	require.Error(t, run(t.Context(), "http://127.0.0.1:1/qapi/v1", "base", "", &bytes.Buffer{}))
}
