package signingagent_test

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/signingagent"
)

func TestApproveAndReject(t *testing.T) {
	d := newDesk(t, signingagent.WithPIN(42))
	feed := clienttest.Follow(t, d.agent.Feed)
	for want, vote := range map[qredo.ApprovalStatus]func(qredo.ActionID) error{
		qredo.ApprovalApproved: func(id qredo.ActionID) error { return d.agent.Approve(t.Context(), id) },
		qredo.ApprovalRejected: func(id qredo.ActionID) error { return d.agent.Reject(t.Context(), id) },
	} {
		action := d.action(d.send(100, ""))
		assert.Equal(t, action.ID, feed.Next(t).ID)
		read, err := d.agent.GetAction(t.Context(), action.ID)
		require.NoError(t, err)
		assert.Equal(t, action, *read)
		require.NoError(t, vote(action.ID))
		assert.Equal(t, want, d.status(action.ID))
		require.NoError(t, vote(action.ID), "the same once more")
	}
	require.ErrorIs(t, d.agent.Approve(t.Context(), "0123456789012345678901234567"), qredo.ErrNotFound)
}

func TestWhatCannotBeSignedIsNot(t *testing.T) {
	d := newDesk(t)
	action := d.action(d.send(100, ""))
	messages := regexp.MustCompile(`"messages":\s*\[[^\]]*\]`)
	for name, list := range map[string]string{
		"none": `[]`, "null": `null`, "an empty one": `[""]`, "an empty one after another": `["aa",""]`,
		"half a byte": `["aab"]`, "not hexadecimal": `["zz"]`, "another one not hexadecimal": `["aa","0x00"]`,
		"more than are signed": `["aa"` + strings.Repeat(`,"aa"`, 1000) + `]`, "a long one": `["` + strings.Repeat("ab", 1<<20+1) + `"]`,
	} {
		d.way.rewrite("GET", "/action/"+string(action.ID), func(body string) string { return messages.ReplaceAllString(body, `"messages":`+list) })
		err := d.agent.Approve(t.Context(), action.ID)
		require.ErrorIs(t, err, signingagent.ErrBadMessages, name)
		require.ErrorIs(t, err, qredo.ErrBadAnswer, name)
	}
	assert.Zero(t, d.way.count("PUT", string(action.ID)), "nothing was sent")
	d.way.set(nil)
	require.NoError(t, d.agent.Approve(t.Context(), action.ID))
}

func TestMessagesAreReadRightBeforeTheyAreSigned(t *testing.T) {
	d := newDesk(t)
	one, two := d.action(d.send(100, "")), d.action(d.send(200, ""))
	require.NoError(t, d.agent.Approve(t.Context(), one.ID))
	require.NoError(t, d.agent.Approve(t.Context(), two.ID))
	var calls []string
	for _, call := range d.way.sent[len(d.way.sent)-4:] {
		calls = append(calls, call[:3]+call[strings.LastIndex(call, "/"):])
	}
	assert.Equal(t, []string{"GET/" + string(one.ID), "PUT/" + string(one.ID), "GET/" + string(two.ID), "PUT/" + string(two.ID)}, calls)
}

// The sandbox verifies: anything but the agent's signature of the action's message moves nothing.
func TestTheServiceRefusesOtherSignatures(t *testing.T) {
	d := newDesk(t)
	action := d.action(d.send(100, ""))
	flip := func(text string) string { // the last bit of a signature
		end := strings.LastIndex(text, `"]`)
		last := map[byte]string{'0': "1"}[text[end-1]]
		if last == "" {
			last = "0"
		}
		return text[:end-1] + last + text[end:]
	}
	d.way.set(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		if req.Method != http.MethodPut {
			return next.RoundTrip(req)
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		changed := []byte(flip(string(body)))
		req = req.Clone(req.Context())
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(changed)), int64(len(changed))
		return next.RoundTrip(req)
	})
	require.ErrorIs(t, d.agent.Approve(t.Context(), action.ID), qredo.ErrBadRequest)
	assert.Equal(t, qredo.ApprovalPending, d.status(action.ID))
	d.way.set(nil)
	require.NoError(t, d.agent.Approve(t.Context(), action.ID))
	assert.Equal(t, qredo.ApprovalApproved, d.status(action.ID))
}

func TestEachRequestHasAProofOfItsOwn(t *testing.T) {
	d := newDesk(t)
	action := d.action(d.send(100, ""))
	proofs := map[string]bool{}
	d.way.set(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		proofs[req.Header.Get("X-Api-Zkp")] = true
		assert.Empty(t, req.Header.Get("X-Sign"))
		assert.Empty(t, req.Header.Get("X-Api-Key"))
		return next.RoundTrip(req)
	})
	require.NoError(t, d.agent.Approve(t.Context(), action.ID))
	require.NoError(t, d.agent.Reject(t.Context(), d.action(d.send(1, "")).ID))
	assert.Len(t, proofs, 3)
	assert.NotContains(t, proofs, "")
}
