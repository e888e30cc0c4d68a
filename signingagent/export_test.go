package signingagent

import "context"

// QuickPassphrase is Passphrase for tests: it takes no time to guess either.
func QuickPassphrase(text string) Sealer { return passphrase([]byte(text), 1) }

// ReadSealed reads the content of a FileStore's file.
func ReadSealed(ctx context.Context, s Sealer, data []byte) (*Identity, error) {
	return NewFileStore("file", s).read(ctx, data)
}

// ReadOld reads the content of an OldStore's file.
func ReadOld(data []byte) (*Identity, error) {
	entries, err := entriesOf(data)
	if err != nil {
		return nil, err
	}
	return identityIn(entries)
}
