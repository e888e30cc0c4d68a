package sandbox_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

// BenchmarkRead is a signed read without a connection: with the log of requests, and without.
func BenchmarkRead(b *testing.B) {
	for name, opts := range map[string][]sandbox.Option{"logged": nil, "not logged": {sandbox.WithoutRequestLog()}} {
		b.Run(name, func(b *testing.B) {
			s, err := sandbox.New(opts...)
			require.NoError(b, err)
			defer func() { _ = s.Close() }()
			req := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8080/api/v1/p/assets", nil)
			require.NoError(b, s.Auth().Authenticate(req, nil, time.Now()))
			b.ReportAllocs()
			for b.Loop() {
				s.ServeHTTP(httptest.NewRecorder(), req)
			}
		})
	}
}
