package qredo_test

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/qredo-go/qredo"
)

// A figure is read exactly or refused, whatever the text: the reference is arithmetic without bounds.
func FuzzAssetParse(f *testing.F) {
	for _, figure := range []string{
		"1.5", "-0.00000001", "92233720368.54775807", "-92233720368.54775808", "92233720368.54775808", "", ".", "1.", ".5", "+1", "1e3", "１", "0",
	} {
		for _, zeros := range []uint8{0, 8, 18} {
			f.Add(figure, zeros)
		}
	}
	f.Fuzz(func(t *testing.T, figure string, zeros uint8) {
		asset := qredo.Asset{Code: "A", Scale: int64(math.Pow10(int(zeros % 19)))}
		got, err := asset.Parse(figure)
		if err != nil {
			var refused *qredo.ValidationError
			if !errors.As(err, &refused) || got != 0 {
				t.Fatalf("%q: %v, %v", figure, got, err)
			}
			return
		}
		if strings.Trim(figure, "-.0123456789") != "" {
			t.Fatalf("%q was read as %d", figure, got)
		}
		exact, ok := new(big.Rat).SetString(figure)
		if !ok {
			t.Fatalf("%q was read as %d", figure, got)
		}
		exact.Mul(exact, new(big.Rat).SetInt64(asset.Scale))
		if exact.Cmp(new(big.Rat).SetInt64(int64(got))) != 0 {
			t.Fatalf("%q at scale %d was read as %d", figure, asset.Scale, got)
		}
		if again, err := asset.Parse(asset.Format(got)); err != nil || again != got {
			t.Fatalf("%d is written %q, read as %d: %v", got, asset.Format(got), again, err)
		}
	})
}

// Any text gives a good key or a refusal that does not repeat it.
func FuzzParsePrivateKey(f *testing.F) {
	for _, bad := range badKeys(f) {
		f.Add(bad.pem)
	}
	f.Add(readTestdata(f, "private.pkcs1.pem"))
	f.Add(readTestdata(f, "private.pkcs8.pem"))
	f.Fuzz(func(t *testing.T, text []byte) {
		key, err := qredo.ParsePrivateKey(text)
		var refused *qredo.ValidationError
		switch {
		case err == nil && (key.N.BitLen() < 2048 || key.Validate() != nil):
			t.Fatalf("a bad key is accepted: %d bits, %v", key.N.BitLen(), key.Validate())
		case err != nil && (key != nil || !errors.As(err, &refused)):
			t.Fatalf("%v, %v", key, err)
		case err != nil && strings.IndexFunc(err.Error(), unicode.IsControl) >= 0:
			t.Fatalf("the error is not a line of text: %q", err)
		}
	})
}

// Any answer that is no success gives an *Error with its status and one line of text.
func FuzzErrorBody(f *testing.F) {
	for _, body := range []string{
		"", html502, `{"code":401,"msg":"errPartnerAuth","detail":{"reason":"signature"}}`, `{"code":"401","msg":"m","detail":"d"}`,
		`{"code":1.5,"msg":null,"detail":[]}`, `{"msg":"a\nb\u0000"}`, `{"code":9223372036854775807}`, "\xff\xfe", `[[[[`, `{"detail":{"reason":{"a":1}}}`,
	} {
		f.Add(401, body)
		f.Add(502, body)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 300 || status > 999 {
			return // no answer has such a status, or it is a success
		}
		_, err := newClient(t, answerWith(status, body)).Assets.List(t.Context())
		var e *qredo.Error
		if !errors.As(err, &e) || e.StatusCode != status {
			t.Fatalf("%d %q: %v", status, body, err)
		}
		if !strings.HasPrefix(body, string(e.Body)) || len(e.Body) < min(len(body), 1024) {
			t.Fatalf("%q keeps %q", body, e.Body)
		}
		if !strings.Contains(err.Error(), strconv.Itoa(status)) || strings.IndexFunc(err.Error(), unicode.IsControl) >= 0 {
			t.Fatalf("the error is not a line of text with the status: %q", err)
		}
	})
}
