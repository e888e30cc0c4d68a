package access

import "github.com/qredo-go/qredo"

// IsOwn reports whether an API key of the Partner API is the one that the sandbox signs with.
func (k *Keys) IsOwn(apiKey string) bool { return digestOfKey(apiKey) == k.own }

// HMACAuth is what signs with a key of Qredo API v1, nil if that is not known.
func (k *Keys) HMACAuth(apiKey string) *qredo.HMACAuth {
	key, err := k.hmac.find(apiKey)
	if err != nil {
		return nil
	}
	return key.hmac
}
