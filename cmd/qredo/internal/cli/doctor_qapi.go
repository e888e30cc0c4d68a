package cli

import (
	"context"

	"github.com/qredo-go/qredo"
)

// checkQAPI checks everything that requests to Qredo API v1 depend on.
func (d *diagnosis) checkQAPI(ctx context.Context) {
	d.api, d.auth, d.base = diagnosedQAPI, nil, ""
	defer func() { d.api = diagnosedPartner }()
	key, fromKey, keyGood := d.checkSecret("api-key", "API key of Qredo API v1", keyQAPIKey, keyQAPIKeyFile)
	secret, fromSecret, secretGood := d.checkSecret("secret", "secret of Qredo API v1", keyQAPISecret, keyQAPISecretFile)
	if keyGood && secretGood {
		if auth, err := qredo.NewHMACAuth(key, secret); err != nil {
			d.fault("secret-encoding", "copy API key and secret again, whole: the secret is base64", "%s, %s: %v", fromKey.source, fromSecret.source, err)
		} else {
			d.auth = auth
			d.ok("api-key", "API key (%s) and secret (%s) can be read", fromKey.source, fromSecret.source)
		}
	}
	base, err := d.app.qapiBase()
	d.checkBaseURL(base, err, keyQAPIBaseURL)
	if d.base != "" {
		d.checkService(ctx)
	}
}

// secretName is the name of what signs the API's requests.
func (d *diagnosis) secretName() string {
	if d.api == diagnosedQAPI {
		return "secret"
	}
	return "private key"
}
