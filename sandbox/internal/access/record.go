package access

import (
	"bytes"
	"cmp"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"slices"

	"github.com/qredo-go/qredo"
)

// Record is a key as an export has it.
type Record struct {
	API         string   `json:"api"` // "partner" or "qapi"
	ID          string   `json:"id"`
	Account     string   `json:"account"`
	Permissions []string `json:"permissions,omitzero"`
	Digest      []byte   `json:"digest"`          // SHA-256 of the API key
	Public      []byte   `json:"public,omitzero"` // of the Partner API: in PKIX form

	// The secrets, only where they are asked for.
	APIKey  string `json:"api_key,omitzero"`
	Own     bool   `json:"own,omitzero"`     // it was made by the sandbox for itself
	Secret  string `json:"secret,omitzero"`  // of Qredo API v1
	Private []byte `json:"private,omitzero"` // of the Partner API: in PKCS #1 form, where the sandbox has it
}

// Records are all keys, in an order that tells nothing, with what signs or without. A key of Qredo API v1 is nothing without that,
// and is left out then.
func (k *Keys) Records(private bool) ([]Record, error) {
	var all []Record
	for digest, key := range k.partner.all() {
		r := Record{API: "partner", ID: key.ID, Account: key.Account, Digest: digest[:]}
		var err error
		if r.Public, err = x509.MarshalPKIXPublicKey(key.public); err != nil {
			return nil, err
		}
		if private {
			r.APIKey = key.apiKey
			if key.own != nil {
				r.Own, r.Private = true, x509.MarshalPKCS1PrivateKey(key.own)
			}
		}
		all = append(all, r)
	}
	if private {
		for digest, key := range k.hmac.all() {
			all = append(all, Record{
				API: "qapi", ID: key.ID, Account: key.Account, Permissions: key.permissions, Digest: digest[:],
				APIKey: key.apiKey, Own: key.ownHMAC, Secret: key.secret,
			})
		}
	}
	slices.SortFunc(all, func(a, b Record) int { return cmp.Or(cmp.Compare(a.API, b.API), bytes.Compare(a.Digest, b.Digest)) })
	return all, nil
}

// Restored are the keys of records, which are right, and what signs with them.
type Restored struct {
	keys *Keys
	put  []func()
	RSA  *qredo.RSAAuth // of the keys that were made by the sandbox for itself, if the records have them
	HMAC *qredo.HMACAuth
}

// Restore reads records. A key that is known here with another public key or account is an error. Nothing is changed before Keep.
func (k *Keys) Restore(records []Record) (*Restored, error) {
	out := &Restored{keys: k}
	for _, r := range records {
		if len(r.Digest) != sha256.Size || r.APIKey != "" && digestOfKey(r.APIKey) != [sha256.Size]byte(r.Digest) {
			return nil, &qredo.ValidationError{Field: "key", Rule: "the digest of the API key is not its own"}
		}
		if err := out.restore(r, [sha256.Size]byte(r.Digest)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *Restored) restore(record Record, digest [sha256.Size]byte) (err error) {
	if record.API == "qapi" {
		key, err := hmacKey(record.APIKey, record.Account, record.Secret, record.Permissions)
		if err != nil {
			return err
		}
		if key.ownHMAC = record.Own; record.Own {
			r.HMAC = key.hmac
		}
		r.put = append(r.put, func() { r.keys.hmac.put(digest, key) })
		return nil
	}
	key := Key{ID: record.ID, Account: record.Account, apiKey: record.APIKey}
	parsed, err := x509.ParsePKIXPublicKey(record.Public)
	if err != nil {
		return err
	}
	var isRSA bool
	if key.public, isRSA = parsed.(*rsa.PublicKey); !isRSA || key.public.N.BitLen() < keyBits || record.Account == "" {
		return &qredo.ValidationError{Field: "key", Rule: fmt.Sprintf("needs an account and a public key of RSA with %d bits", keyBits)}
	}
	if known := r.keys.partner.of(digest); known != nil && (known.Account != key.Account || !known.public.Equal(key.public)) {
		return &qredo.ValidationError{Field: "key", Rule: "an API key is registered here already, with another public key or account"}
	}
	if record.Own {
		if key.own, err = x509.ParsePKCS1PrivateKey(record.Private); err == nil {
			r.RSA, err = qredo.NewRSAAuth(record.APIKey, key.own)
		}
	}
	r.put = append(r.put, func() { r.keys.partner.put(digest, key) })
	return err
}

// Keep makes the keys known.
func (r *Restored) Keep() {
	for _, put := range r.put {
		put()
	}
}
