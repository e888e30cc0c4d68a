// Package clienttest has what the tests of the client share: clients that send to a function, fixtures, a sandbox with
// a company in it, and followers of feeds.
package clienttest

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"

	"context"
)

// The identifiers of the fixtures, in the shape of the service's own.
const (
	CompanyID        = "1va2cJ2pqdLSFAN5t1knBrnuMvw"
	OtherCompanyID   = "2Ky9Pf34qY6Nb3wWD25RQ4F5ZR3"
	FundID           = "2qa7yEeeby3abP3E2Zs8IQ9Y7aJ"
	OtherFundID      = "2ZqhB6baeCN6Zj4a3dDVhYRnKTb"
	PolicyWithdrawID = "2xTNJFoBinF5aJXVuLkSIc47WQA"
	PolicyTxID       = "2mL9xVQ2zg4mZaouqKLiMcVbpT4"
	TransferID       = "2r5yHUig43kiJfahqSIjOugM1yT"
	WithdrawalID     = "2MAd7V3DnI8lFPPwtV5ASPZHu8q"
	lockingTxID      = "2pZPPPP6UeP3C4DSA7Lc360a9Y6"
	AliceActionID    = "2RtZHjQMhuOzE95B9EgE0VrbBGI"
	CoreActionID     = "209QYNdaKy8isWydfhl3Tvtnyth"
	WalletID         = "PQ6F7FXDNEXgzgv1XiPti6vj8RsnqDXyCUshN6toSWSp"
	OtherWalletID    = "6oBB92AezWtiAgufXjPAcc921toi7ap9UxDuxE2HEKZG"
	AliceID          = "qeMHbTv94pPzWjeuzaTuyZ9bAaZ2xVrCf1rtACAXgo8c"
	BobID            = "4MkaacXsr7yc4GDJ3r7ZVc2qz5VMgZfZDmJVZbtXZGma"
	CoreID           = "yyHczDvV9T8SVM5jGU5EjLs8zrAnijQAHy9WFp7SyYBj"
	ExchangeID       = "vFBnUZSNTDPM6oQ2NcWVn2RNagKZ58sFy76HJ3zrCJq9"
	aliceAccount     = "uUwkuHSAbZdYmM6J4tmCUz5J2h6tH6fwF5Hx8W1NcTJg"
	CoreAccount      = "93anG8BH4CDLhLaqEKVZkCJPt2H312oZcDZXGV7juiUj"
	exchangeAccount  = "YbvySZLmEFNDvynoh9SP4v915hpyHUB46jvRxZjKfGmK"
	BTCAddress       = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
	ETHAddress       = "0x71C7656EC7ab88b098defB751B7401B5f6d8976F"
	PayoutAddress    = "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7"
	ChainTxID        = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
	CompanyRef       = "9827feec-4eae-4e80-bda3-daa7c3b97add"
)

// BaseURL is the service that NewClient calls.
const BaseURL = "https://sandbox-api.qredo.network/api/v1/p"

// APIKey has the shape of an issued key: base64url of a JSON object.
var APIKey = base64.RawURLEncoding.EncodeToString(
	[]byte(`{"sandbox":true,"key_id":"ak-3f9c","key":"hN2rZ0w7u1QyVtK5pXcA"}`))

// Now is the time of every client made by NewClient.
var Now = time.Unix(1700000000, 0)

// Clock stands still at Now.
func Clock() time.Time { return Now }

// Testdata is where a file of the module's testdata is, seen from any of its packages, and from modules below it.
func Testdata(name string) string { return inModule("testdata", name) }

func inModule(path ...string) string {
	inner := filepath.Join(path...)
	for up := ""; len(up) < 30; up += "../" {
		file := filepath.Join(up, inner)
		_, module := os.Stat(up + "go.mod")
		if _, err := os.Stat(file); err == nil && module == nil {
			return file
		}
	}
	return inner
}

// ReadTestdata reads a file of the module's testdata.
func ReadTestdata(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(Testdata(name))
	require.NoError(t, err)
	return data
}

var privateKeyOnce = sync.OnceValues(func() (*rsa.PrivateKey, error) {
	return qredo.LoadPrivateKey(Testdata("private.pkcs8.pem"))
})

// PrivateKey is the key that NewAuth signs with.
func PrivateKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := privateKeyOnce()
	require.NoError(t, err)
	return key
}

// PublicKey is read from its own file, so that a wrong private key is noticed.
func PublicKey(t testing.TB) *rsa.PublicKey {
	t.Helper()
	block, _ := pem.Decode(ReadTestdata(t, "public.pem"))
	require.NotNil(t, block)
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	require.NoError(t, err)
	return key.(*rsa.PublicKey)
}

// NewAuth signs with the key of testdata.
func NewAuth(t testing.TB, opts ...qredo.RSAOption) *qredo.RSAAuth {
	t.Helper()
	auth, err := qredo.NewRSAAuth(APIKey, PrivateKey(t), opts...)
	require.NoError(t, err)
	return auth
}

// Once lets every call make one attempt.
var Once = qredo.RetryPolicy{MaxAttempts: 1}

// NewClient returns a client whose requests go to transport, once each, and whose clock stands still.
func NewClient(t testing.TB, transport http.RoundTripper, opts ...qredo.Option) *qredo.Client {
	t.Helper()
	client, err := qredo.NewClient(NewAuth(t), append([]qredo.Option{
		qredo.WithEnvironment(qredo.EnvironmentSandbox),
		qredo.WithHTTPClient(&http.Client{Transport: transport}),
		qredo.WithClock(Clock),
		qredo.WithRetry(Once),
	}, opts...)...)
	require.NoError(t, err)
	return client
}

// NewQuickClient is NewClient without the work of signing, for tests that send thousands of requests.
func NewQuickClient(t testing.TB, transport http.RoundTripper, opts ...qredo.Option) *qredo.Client {
	t.Helper()
	auth, err := qredo.NewProofAuth(func(string, string, []byte, time.Time) (string, error) { return "proof", nil })
	require.NoError(t, err)
	client, err := qredo.NewClient(auth, append([]qredo.Option{
		qredo.WithEnvironment(qredo.EnvironmentSandbox), qredo.WithHTTPClient(&http.Client{Transport: transport}), qredo.WithClock(Clock),
	}, opts...)...)
	require.NoError(t, err)
	return client
}

// RoundTrip is a transport made of a function.
type RoundTrip func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f RoundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// AnswerWith is a transport that gives the same answer to every request.
func AnswerWith(status int, body string) RoundTrip {
	return func(req *http.Request) (*http.Response, error) { return Answer(req, status, body), nil }
}

// Answer is an answer to a request.
func Answer(req *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{}, Request: req, ProtoMajor: 1, ProtoMinor: 1,
		ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)),
	}
}

// RefuseAll is a transport for tests in which nothing may be sent.
func RefuseAll(t testing.TB) RoundTrip {
	return func(req *http.Request) (*http.Response, error) {
		t.Errorf("a request was sent: %s %s", req.Method, req.URL)
		return Answer(req, http.StatusOK, "{}"), nil
	}
}

// VerifySignature checks x-sign the way the service does: with the public key, over stamp, URL and body.
func VerifySignature(t testing.TB, signature, stamp, url string, body []byte) {
	t.Helper()
	raw, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	require.NoError(t, err, "x-sign must be base64url without padding")
	digest := sha256.Sum256([]byte(stamp + url + string(body)))
	require.NoError(t, rsa.VerifyPKCS1v15(PublicKey(t), crypto.SHA256, digest[:], raw))
}

// RequireInvalid asserts that err is a refusal of a field, made before anything was sent, and returns the rule.
func RequireInvalid(t testing.TB, err error, field string) (rule string) {
	t.Helper()
	var refused *qredo.ValidationError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, field, refused.Field, "%v", err)
	require.NotEmpty(t, refused.Rule)
	return refused.Rule
}

// RecordURLs is a transport that notes what it was asked for and gives the same answer to all.
func RecordURLs(urls *[]string, body string) RoundTrip {
	return func(req *http.Request) (*http.Response, error) {
		*urls = append(*urls, req.URL.String())
		return Answer(req, http.StatusOK, body), nil
	}
}

// RecordBodies is a transport that notes the bodies it was sent and gives the same answer to all.
func RecordBodies(bodies *[]string, body string) RoundTrip {
	return func(req *http.Request) (*http.Response, error) {
		sent, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		*bodies = append(*bodies, string(sent))
		return Answer(req, http.StatusOK, body), nil
	}
}

// HMACSecret is a secret whose base64 has the characters in which the two alphabets differ, and padding.
var HMACSecret = []byte("\xfb\xef\xbe\xff\xff\xff secret of an API v1 key\x00")

// RequireError asserts that err is an answer of the service, and returns it.
func RequireError(t *testing.T, err error) *qredo.Error {
	t.Helper()
	var e *qredo.Error
	require.ErrorAs(t, err, &e)
	return e
}

// HTML502 is a page that a proxy answers with.
const HTML502 = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>nginx</body>\r\n</html>\r\n"

// ClockOff is a clock that is off by so much.
func ClockOff(by time.Duration) func() time.Time {
	return func() time.Time { return time.Now().Add(by) }
}

// Sends shows what a call sends: method, path below the base URL, and body.
func Sends(call func(context.Context, *qredo.Client) error, want string) func(*testing.T, *World) {
	return func(t *testing.T, _ *World) {
		sent := ""
		_ = call(t.Context(), NewQuickClient(t, RoundTrip(func(req *http.Request) (*http.Response, error) {
			body := []byte{}
			if req.Body != nil {
				body, _ = io.ReadAll(req.Body)
			}
			sent = strings.TrimSpace(req.Method + " " + strings.TrimPrefix(req.URL.String(), BaseURL) + " " + string(body))
			return Answer(req, 400, ""), nil
		})))
		require.Equal(t, want, sent)
	}
}
