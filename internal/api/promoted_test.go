package api

import (
	"go/types"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// promoted are the methods that exported types have only because of what they embed, which are meant to be there. A
// newer version of what is embedded may bring more: one that writes or reads values (MarshalX, AppendX, GobX, Scan, …)
// would be used in the place of the type's own, so each is looked at before it is added here. Those that only the newer
// of the two versions of Go has are here too.
var promoted = map[string]string{
	"qredo.Time": "Add AddDate After AppendFormat Before Clock Compare Date Day Equal Format GoString Hour ISOWeek In IsDST IsZero Local " +
		"Location Minute Month Nanosecond Round Second String Sub Truncate UTC Unix UnixMicro UnixMilli UnixNano Weekday Year YearDay Zone ZoneBounds",
	"qapi.BigInt": "Abs Add And AndNot Append Binomial Bit BitLen Bits Bytes Cmp CmpAbs Div DivMod Divide Exp FillBytes Float64 GCD Int64 IsInt64 " +
		"IsUint64 Lsh Mod ModInverse ModSqrt Mul MulRange Neg Not Or ProbablyPrime Quo QuoRem Rand Rem Rsh Set SetBit SetBits SetBytes SetInt64 " +
		"SetString SetUint64 Sign Sqrt Sub Text TrailingZeroBits Uint64 Xor",
	"outbox.Sweep": "Validate", "outbox.Transfer": "Validate", "outbox.Withdrawal": "Validate",
	"sandbox.Server":   "*", // of the sandbox that it serves
	"qapitest.Service": "On OnFixtures Requests RoundTrip ServeHTTP",
}

func TestNothingIsPromotedByAccident(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range load(t) {
		for _, name := range p.types.Scope().Names() {
			object, isType := p.types.Scope().Lookup(name).(*types.TypeName)
			if !isType || !object.Exported() {
				continue
			}
			full := p.Name + "." + name
			allowed := strings.Fields(promoted[full])
			methods := types.NewMethodSet(types.NewPointer(object.Type()))
			for i := range methods.Len() {
				method := methods.At(i)
				if len(method.Index()) < 2 || !method.Obj().Exported() || types.IsInterface(object.Type()) {
					continue
				}
				seen[full] = true
				if name := method.Obj().Name(); !slices.Contains(allowed, name) && promoted[full] != "*" {
					t.Errorf("%s has the method %s of %s, which it embeds: if that is not meant, give it one of its own, else name it in this test",
						full, name, method.Obj().Pkg().Path())
				}
			}
		}
	}
	require.NotEmpty(t, seen)
	for full := range promoted {
		assert.True(t, seen[full], "%s promotes nothing", full)
	}
}
