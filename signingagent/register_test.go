package signingagent_test

import (
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/signingagent"
)

// requireWorks asks for something that only a finished agent learns: that there is no such action.
func requireWorks(t *testing.T, a *signingagent.Agent) {
	t.Helper()
	_, err := a.Client().SigningAgent.GetMessages(t.Context(), "0123456789012345678901234567")
	require.ErrorIs(t, err, qredo.ErrNotFound)
}

func TestRegisterAndOpen(t *testing.T) {
	for name, open := range stores() {
		for _, opts := range [][]signingagent.Option{nil, {signingagent.WithPIN(1234)}} {
			w := newWorld(t)
			store := open(filepath.Join(t.TempDir(), "agent"))
			_, err := signingagent.Open(t.Context(), store, signingagent.WithClient(w.Client))
			require.ErrorIs(t, err, signingagent.ErrNoIdentity)
			a, err := signingagent.Register(t.Context(), w.Client, store, "agent", opts...)
			require.NoError(t, err, name)
			requireWorks(t, a)
			assert.Equal(t, "agent", a.Name())
			again, err := signingagent.Open(t.Context(), store, append(opts, signingagent.WithClient(w.Client))...)
			require.NoError(t, err)
			requireWorks(t, again)
			assert.Equal(t, a.ID(), again.ID())
			alone, err := signingagent.Open(t.Context(), store, append(opts, signingagent.WithClientOptions(qredo.WithBaseURL(w.Srv.BaseURL())))...)
			require.NoError(t, err)
			requireWorks(t, alone)
			_, err = alone.GetAction(t.Context(), "0123456789012345678901234567")
			require.ErrorIs(t, err, signingagent.ErrNoClient)
			_, err = signingagent.Register(t.Context(), w.Client, store, "agent", opts...)
			require.ErrorIs(t, err, signingagent.ErrIdentityExists)
			for _, text := range clienttest.Printings(t, a) {
				assert.NotContains(t, text, "1234")
			}
		}
	}
}

func TestAWrongPINIsRefused(t *testing.T) {
	w := newWorld(t)
	_, err := signingagent.Register(t.Context(), w.Client, w.store, "agent", signingagent.WithPIN(1234))
	require.NoError(t, err)
	for _, pin := range []int{0, 1, 1235, 9999} {
		a, err := signingagent.Open(t.Context(), w.store, signingagent.WithClient(w.Client), signingagent.WithPIN(pin))
		require.NoError(t, err, "whether a PIN is right only the service knows")
		_, err = a.Client().SigningAgent.GetMessages(t.Context(), "0123456789012345678901234567")
		require.ErrorIs(t, err, qredo.ErrUnauthorized)
	}
	for _, pin := range []int{-1, 10_000, 11_234} {
		_, err := signingagent.Open(t.Context(), w.store, signingagent.WithClient(w.Client), signingagent.WithPIN(pin))
		clienttest.RequireInvalid(t, err, "PIN")
		_, err = signingagent.Register(t.Context(), w.Client, &memory{}, "agent", signingagent.WithPIN(pin))
		clienttest.RequireInvalid(t, err, "PIN")
	}
}

func TestARegistrationThatIsCutOffGoesOn(t *testing.T) {
	on := func(path string, fault func(*http.Request, http.RoundTripper) (*http.Response, error)) func(d *desk) {
		return func(d *desk) {
			d.way.set(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				if strings.HasSuffix(req.URL.Path, path) {
					return fault(req, next)
				}
				return next.RoundTrip(req)
			})
		}
	}
	crash := func(at int) func(int) error {
		return func(save int) error {
			if save == at {
				return errCrash
			}
			return nil
		}
	}
	for name, c := range map[string]struct {
		fault  func(d *desk)
		inits  int  // that were sent in all
		opens  bool // Open can finish it too
		exists bool // it was finished
	}{
		"before the seed is stored":       {func(d *desk) { d.store.before = crash(1) }, 1, false, false},
		"after the seed is stored":        {func(d *desk) { d.store.after = crash(1) }, 1, false, false},
		"the first request is lost":       {on("/init", clienttest.LoseRequest), 2, false, false},
		"the first answer is lost":        {on("/init", clienttest.LoseAnswer), 2, false, false},
		"before the answer is stored":     {func(d *desk) { d.store.before = crash(2) }, 2, false, false},
		"after the answer is stored":      {func(d *desk) { d.store.after = crash(2) }, 1, true, false},
		"the second request is lost":      {on("/finish", clienttest.LoseRequest), 1, true, false},
		"the second answer is lost":       {on("/finish", clienttest.LoseAnswer), 1, true, false},
		"before it is stored as finished": {func(d *desk) { d.store.before = crash(3) }, 1, true, false},
		"after it is stored as finished":  {func(d *desk) { d.store.after = crash(3) }, 1, true, true},
	} {
		for _, byOpen := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				d := newWorld(t)
				c.fault(d)
				_, err := signingagent.Register(t.Context(), d.rsa, d.store, "agent", signingagent.WithPIN(7))
				require.Error(t, err)
				assert.NotContains(t, err.Error(), "clientSecret")
				d.way.set(nil)
				d.store.before, d.store.after = nil, nil
				seed := regexp.MustCompile(`"blsSeed":"[^"]+"`).FindString(string(d.store.kept))
				if byOpen {
					a, err := signingagent.Open(t.Context(), d.store, signingagent.WithClient(d.rsa), signingagent.WithPIN(7))
					if c.opens {
						require.NoError(t, err)
						requireWorks(t, a)
					} else {
						require.ErrorIs(t, err, signingagent.ErrNoIdentity)
					}
				}
				a, err := signingagent.Register(t.Context(), d.rsa, d.store, "agent", signingagent.WithPIN(7))
				if c.exists || c.opens && byOpen {
					require.ErrorIs(t, err, signingagent.ErrIdentityExists)
					a, err = signingagent.Open(t.Context(), d.store, signingagent.WithClient(d.rsa), signingagent.WithPIN(7))
				}
				require.NoError(t, err)
				requireWorks(t, a)
				assert.Equal(t, c.inits, d.way.count("POST", "/init"))
				assert.Contains(t, string(d.store.kept), seed, "the keys are the same")
				assert.Regexp(t, `"idDoc":"[^"]+","finished":true`, string(d.store.kept))
				stored, err := d.store.Load(t.Context())
				require.NoError(t, err)
				assert.Equal(t, a.ID(), stored.ID())
			})
		}
	}
}

func TestARegistrationGoesOnByItsNameAndPIN(t *testing.T) {
	d := newWorld(t)
	d.store.after = func(save int) error {
		if save == 2 {
			return errCrash
		}
		return nil
	}
	_, err := signingagent.Register(t.Context(), d.rsa, d.store, "agent", signingagent.WithPIN(7))
	require.ErrorIs(t, err, errCrash)
	_, err = signingagent.Register(t.Context(), d.rsa, d.store, "another", signingagent.WithPIN(7))
	require.ErrorIs(t, err, signingagent.ErrIdentityExists)
	_, err = signingagent.Register(t.Context(), d.rsa, d.store, "agent", signingagent.WithPIN(8))
	require.ErrorIs(t, err, qredo.ErrUnauthorized)
	require.ErrorContains(t, err, "is the PIN the one")
	_, err = signingagent.Import(t.Context(), d.store, &memory{})
	require.ErrorIs(t, err, signingagent.ErrNoIdentity)
	_, err = signingagent.Register(t.Context(), d.rsa, d.store, "agent", signingagent.WithPIN(7))
	require.NoError(t, err)
	assert.Equal(t, 1, d.way.count("POST", "/init"))
}

func TestAnswersThatAreNoRegistrationAreRefused(t *testing.T) {
	d := newWorld(t)
	replace := func(field, value string) func(string) string {
		find := regexp.MustCompile(`"` + field + `":\s*"[^"]*"`)
		return func(body string) string { return find.ReplaceAllLiteralString(body, `"`+field+`":"`+value+`"`) }
	}
	for name, change := range map[string]func(string) string{
		"another account code":      replace("accountCode", "another"),
		"no account code":           replace("accountCode", ""),
		"no client ID":              replace("clientID", ""),
		"a client ID not hex":       replace("clientID", "xyz"),
		"no secret":                 replace("clientSecret", ""),
		"a secret not hex":          replace("clientSecret", "topsecret"),
		"a secret of the old size":  replace("clientSecret", strings.Repeat("5a", 32)),
		"a secret that is no point": replace("clientSecret", "04"+strings.Repeat("5a", 96)),
		"no ID document":            replace("idDoc", ""),
		"an ID document not hex":    replace("idDoc", "xyz"),
	} {
		d.way.rewrite("POST", "/init", change)
		_, err := signingagent.Register(t.Context(), d.rsa, d.store, "agent")
		require.ErrorIs(t, err, qredo.ErrBadAnswer, name)
		assert.NotContains(t, err.Error(), "topsecret", name)
		assert.NotContains(t, err.Error(), "5a5a", name)
		assert.Contains(t, string(d.store.kept), `"id":""`, name)
	}
	d.way.set(nil)
	_, err := signingagent.Register(t.Context(), d.rsa, d.store, "agent")
	require.NoError(t, err)
}

func TestRegisterNeedsWhatItNeeds(t *testing.T) {
	w := newWorld(t)
	_, err := signingagent.Register(t.Context(), nil, w.store, "agent")
	clienttest.RequireInvalid(t, err, "registration")
	_, err = signingagent.Register(t.Context(), w.Client, nil, "agent")
	clienttest.RequireInvalid(t, err, "registration")
	_, err = signingagent.Register(t.Context(), w.Client, w.store, "")
	clienttest.RequireInvalid(t, err, "name")
	_, err = signingagent.Register(t.Context(), w.Client, w.store, "agent", nil)
	clienttest.RequireInvalid(t, err, "option")
	_, err = signingagent.Register(t.Context(), w.Client, w.store, "agent", signingagent.WithClient(nil))
	clienttest.RequireInvalid(t, err, "client")
	_, err = signingagent.Open(t.Context(), nil)
	clienttest.RequireInvalid(t, err, "store")
	assert.Nil(t, w.store.kept)
	_, err = signingagent.Register(t.Context(), w.Client, w.store, "agent")
	require.NoError(t, err)
	_, err = signingagent.Open(t.Context(), w.store)
	clienttest.RequireInvalid(t, err, "base URL")
}
