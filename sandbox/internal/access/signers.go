package access

import "github.com/qredo-go/qredo"

// RSAAuth is what signs with a key of the Partner API, nil if its private key is not known here.
func (k *Keys) RSAAuth(apiKey string) *qredo.RSAAuth {
	key, err := k.partner.find(apiKey)
	if err != nil || key.own == nil {
		return nil
	}
	auth, err := qredo.NewRSAAuth(apiKey, key.own)
	if err != nil {
		return nil
	}
	return auth
}

// HMACAuth is what signs with a key of Qredo API v1, nil if that is not known.
func (k *Keys) HMACAuth(apiKey string) *qredo.HMACAuth {
	key, err := k.hmac.find(apiKey)
	if err != nil {
		return nil
	}
	return key.hmac
}
