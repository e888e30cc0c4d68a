package qredo_test

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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// The identifiers of the fixtures, in the shape of the service's own.
const (
	companyID        = "1va2cJ2pqdLSFAN5t1knBrnuMvw"
	otherCompanyID   = "2Ky9Pf34qY6Nb3wWD25RQ4F5ZR3"
	fundID           = "2qa7yEeeby3abP3E2Zs8IQ9Y7aJ"
	otherFundID      = "2ZqhB6baeCN6Zj4a3dDVhYRnKTb"
	policyWithdrawID = "2xTNJFoBinF5aJXVuLkSIc47WQA"
	policyTxID       = "2mL9xVQ2zg4mZaouqKLiMcVbpT4"
	transferID       = "2r5yHUig43kiJfahqSIjOugM1yT"
	withdrawalID     = "2MAd7V3DnI8lFPPwtV5ASPZHu8q"
	lockingTxID      = "2pZPPPP6UeP3C4DSA7Lc360a9Y6"
	aliceActionID    = "2RtZHjQMhuOzE95B9EgE0VrbBGI"
	coreActionID     = "209QYNdaKy8isWydfhl3Tvtnyth"
	walletID         = "PQ6F7FXDNEXgzgv1XiPti6vj8RsnqDXyCUshN6toSWSp"
	otherWalletID    = "6oBB92AezWtiAgufXjPAcc921toi7ap9UxDuxE2HEKZG"
	aliceID          = "qeMHbTv94pPzWjeuzaTuyZ9bAaZ2xVrCf1rtACAXgo8c"
	bobID            = "4MkaacXsr7yc4GDJ3r7ZVc2qz5VMgZfZDmJVZbtXZGma"
	coreID           = "yyHczDvV9T8SVM5jGU5EjLs8zrAnijQAHy9WFp7SyYBj"
	exchangeID       = "vFBnUZSNTDPM6oQ2NcWVn2RNagKZ58sFy76HJ3zrCJq9"
	aliceAccount     = "uUwkuHSAbZdYmM6J4tmCUz5J2h6tH6fwF5Hx8W1NcTJg"
	coreAccount      = "93anG8BH4CDLhLaqEKVZkCJPt2H312oZcDZXGV7juiUj"
	exchangeAccount  = "YbvySZLmEFNDvynoh9SP4v915hpyHUB46jvRxZjKfGmK"
	btcAddress       = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
	ethAddress       = "0x71C7656EC7ab88b098defB751B7401B5f6d8976F"
	payoutAddress    = "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7"
	chainTxID        = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
	companyRef       = "9827feec-4eae-4e80-bda3-daa7c3b97add"
)

const testBase = "https://sandbox-api.qredo.network/api/v1/p"

// apiKey has the shape of an issued key: base64url of a JSON object.
var apiKey = base64.RawURLEncoding.EncodeToString(
	[]byte(`{"sandbox":true,"key_id":"ak-3f9c","key":"hN2rZ0w7u1QyVtK5pXcA"}`))

// testNow is the time of every client made by newClient.
var testNow = time.Unix(1700000000, 0)

func testClock() time.Time { return testNow }

func readTestdata(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return data
}

var privateKeyOnce = sync.OnceValues(func() (*rsa.PrivateKey, error) {
	return qredo.LoadPrivateKey("testdata/private.pkcs8.pem")
})

func privateKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := privateKeyOnce()
	require.NoError(t, err)
	return key
}

// publicKey is read from its own file, so that a wrong private key is noticed.
func publicKey(t testing.TB) *rsa.PublicKey {
	t.Helper()
	block, _ := pem.Decode(readTestdata(t, "public.pem"))
	require.NotNil(t, block)
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	require.NoError(t, err)
	return key.(*rsa.PublicKey)
}

func newAuth(t testing.TB, opts ...qredo.RSAOption) *qredo.RSAAuth {
	t.Helper()
	auth, err := qredo.NewRSAAuth(apiKey, privateKey(t), opts...)
	require.NoError(t, err)
	return auth
}

// once lets every call make one attempt.
var once = qredo.RetryPolicy{MaxAttempts: 1}

// newClient returns a client whose requests go to transport, once each, and whose clock stands still.
func newClient(t testing.TB, transport http.RoundTripper, opts ...qredo.Option) *qredo.Client {
	t.Helper()
	client, err := qredo.NewClient(newAuth(t), append([]qredo.Option{
		qredo.WithEnvironment(qredo.EnvironmentSandbox),
		qredo.WithHTTPClient(&http.Client{Transport: transport}),
		qredo.WithClock(testClock),
		qredo.WithRetry(once),
	}, opts...)...)
	require.NoError(t, err)
	return client
}

// newQuickClient is newClient without the work of signing, for tests that send thousands of requests.
func newQuickClient(t testing.TB, transport http.RoundTripper, opts ...qredo.Option) *qredo.Client {
	t.Helper()
	auth, err := qredo.NewProofAuth(func(string, string, []byte, time.Time) (string, error) { return "proof", nil })
	require.NoError(t, err)
	client, err := qredo.NewClient(auth, append([]qredo.Option{
		qredo.WithEnvironment(qredo.EnvironmentSandbox), qredo.WithHTTPClient(&http.Client{Transport: transport}), qredo.WithClock(testClock),
	}, opts...)...)
	require.NoError(t, err)
	return client
}

// roundTrip is a transport made of a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// answerWith is a transport that gives the same answer to every request.
func answerWith(status int, body string) roundTrip {
	return func(req *http.Request) (*http.Response, error) { return answer(req, status, body), nil }
}

func answer(req *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{}, Request: req, ProtoMajor: 1, ProtoMinor: 1,
		ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)),
	}
}

// refuseAll is a transport for tests in which nothing may be sent.
func refuseAll(t testing.TB) roundTrip {
	return func(req *http.Request) (*http.Response, error) {
		t.Errorf("a request was sent: %s %s", req.Method, req.URL)
		return answer(req, http.StatusOK, "{}"), nil
	}
}

// verifySignature checks x-sign the way the service does: with the public key, over stamp, URL and body.
func verifySignature(t testing.TB, signature, stamp, url string, body []byte) {
	t.Helper()
	raw, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	require.NoError(t, err, "x-sign must be base64url without padding")
	digest := sha256.Sum256([]byte(stamp + url + string(body)))
	require.NoError(t, rsa.VerifyPKCS1v15(publicKey(t), crypto.SHA256, digest[:], raw))
}

// requireInvalid asserts that err is a refusal of a field, made before anything was sent.
func requireInvalid(t testing.TB, err error, field string) *qredo.ValidationError {
	t.Helper()
	var refused *qredo.ValidationError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, field, refused.Field, "%v", err)
	require.NotEmpty(t, refused.Rule)
	return refused
}

// recordURLs is a transport that notes what it was asked for and gives the same answer to all.
func recordURLs(urls *[]string, body string) roundTrip {
	return func(req *http.Request) (*http.Response, error) {
		*urls = append(*urls, req.URL.String())
		return answer(req, http.StatusOK, body), nil
	}
}

// recordBodies is a transport that notes the bodies it was sent and gives the same answer to all.
func recordBodies(bodies *[]string, body string) roundTrip {
	return func(req *http.Request) (*http.Response, error) {
		sent, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		*bodies = append(*bodies, string(sent))
		return answer(req, http.StatusOK, body), nil
	}
}
