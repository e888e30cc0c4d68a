package sandbox_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

func TestSendSignsAndLogs(t *testing.T) {
	srv, err := sandbox.Start()
	require.NoError(t, err)
	defer srv.Close()
	control := srv.Control()

	made, err := control.Send(t.Context(), sandbox.SendRequest{Method: "POST", Path: "/company", Body: `{"name":"Acme","ref":"1"}`})
	require.NoError(t, err)
	assert.Equal(t, 200, made.Status, made.AnswerBody)
	assert.Equal(t, srv.BaseURL()+"/company", made.URL)
	found, err := srv.Client().Companies.Search(t.Context(), "Acme")
	require.NoError(t, err)
	require.Len(t, found, 1, "it has taken effect")
	assert.Contains(t, made.AnswerBody, string(found[0].ID))

	for _, in := range []struct {
		send   sandbox.SendRequest
		status int
		body   string
	}{
		{sandbox.SendRequest{Method: "GET", Path: "/company/search?query=Z%c3%bcrich%20"}, 200, "matches"},
		{sandbox.SendRequest{API: "qapi", Method: "GET", Path: "/funds"}, 200, ""},
		{sandbox.SendRequest{Method: "GET", Path: "/nowhere"}, 404, "path"},
		{sandbox.SendRequest{Method: "POST", Path: "/company", Body: "{"}, 400, ""},
	} {
		got, err := control.Send(t.Context(), in.send)
		require.NoError(t, err, in.send.Path)
		assert.Equal(t, in.status, got.Status, in.send.Path)
		assert.Contains(t, got.AnswerBody, in.body)
	}
	list, err := srv.Requests(sandbox.RequestFilter{Search: "/nowhere"})
	require.NoError(t, err)
	assert.Equal(t, 1, list.Total, "each is in the log")

	for _, wrong := range []sandbox.SendRequest{
		{Method: "GET", Path: "company"}, {Method: "GET", Path: "/a#b"}, {Method: "G T", Path: "/company"}, {Method: "GET", Path: "/%zz"},
		{API: "other", Method: "GET", Path: "/assets"}, {Method: "GET", Path: "/coreclient/x/feed"}, {Method: "GET", Path: "/a\nb"},
	} {
		_, err := control.Send(t.Context(), wrong)
		require.ErrorIs(t, err, qredo.ErrBadRequest, "%+v", wrong)
	}
}

func TestSendIsHitByFaults(t *testing.T) {
	srv, err := sandbox.Start()
	require.NoError(t, err)
	defer srv.Close()
	for _, kind := range []sandbox.FaultKind{sandbox.FaultDropRequest, sandbox.FaultDropAnswer, sandbox.FaultCutBody, sandbox.FaultHTML, sandbox.FaultServerError} {
		require.NoError(t, srv.SetFaults(1, sandbox.FaultRule{Kind: kind, Rate: 1}))
		got, err := srv.Send(sandbox.SendRequest{Method: "GET", Path: "/assets"})
		require.NoError(t, err, kind)
		assert.Equal(t, kind, got.Fault)
	}
}

func TestSendWhereItIsServed(t *testing.T) {
	srv, err := sandbox.Start(sandbox.WithoutRequestLog())
	require.NoError(t, err)
	defer srv.Close()
	_, err = srv.Send(sandbox.SendRequest{Method: "GET", Path: "/assets"})
	require.ErrorIs(t, err, qredo.ErrConflict)
	secure, err := sandbox.Start(sandbox.WithTLS(t.TempDir()))
	require.NoError(t, err)
	defer secure.Close()
	over, err := secure.Send(sandbox.SendRequest{Method: "GET", Path: "/assets"})
	require.NoError(t, err)
	assert.Equal(t, 200, over.Status)
	assert.Equal(t, secure.BaseURL()+"/assets", over.URL)
	s, err := sandbox.New()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	got, err := s.Send(sandbox.SendRequest{Method: "GET", Path: "/assets"})
	require.NoError(t, err, "without a server")
	assert.True(t, strings.HasPrefix(got.URL, "http://127.0.0.1/"), got.URL)
	assert.Equal(t, 200, got.Status)
}
