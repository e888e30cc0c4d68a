package approver

import (
	"github.com/qredo-go/qredo/approver/internal/seals"
)

// ErrUnsealed means that a store with a sealing key ([WithSealingKey]) contains something that was not sealed with it: somebody
// without the key has written or changed it, a program has another key, or the store was never sealed. It is not used. If it is
// a decision or the counter of a limit, the actions that it concerns are left to people.
var ErrUnsealed = seals.Err

type fileOption func(*fileOptions) error

func (o fileOption) setFile(f *fileOptions) error { return o(f) }

// WithSealingKey seals each decision and each entry of a limit's counter with a secret key of at least 16 bytes: what somebody
// without the key has written into the store, changed in it, or moved within it or from another store is refused with
// [ErrUnsealed]. All programs that open the store need the key. A new store is sealed from the start; one without seals is
// refused: see [WithUnsealedAccepted].
//
// To change the key, give the new one first and the old one after it: the first seals, all are accepted. Opening the store
// seals everything in it again with the first key; then the old one can be left out. The stores of packages postgres and redis
// have the same option. Default: no key; a stored approval that the audit log does not have is carried out only if the policy
// still approves, and counters are believed.
func WithSealingKey(key []byte, older ...[]byte) FileOption {
	return fileOption(func(f *fileOptions) (err error) {
		f.seals, err = seals.New(key, older...)
		if err != nil {
			return check(false, "sealing key", "%s", err)
		}
		return nil
	})
}

// WithUnsealedAccepted seals a store that has no seals yet, with everything in it, when it is opened with [WithSealingKey]: a
// person has accepted that nobody else has written to it. Stop all approvers first, and do not leave the option in a program: it
// would also accept a store from which somebody has removed what shows that it is sealed. If the store is sealed, the option
// changes nothing; if an older key is given as well, a store without seals is refused all the same. Default: a store without
// seals is refused.
func WithUnsealedAccepted() FileOption {
	return fileOption(func(f *fileOptions) error { f.unsealed = true; return nil })
}
