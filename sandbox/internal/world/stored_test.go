package world

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math/big"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// typesWithApply are the types of this package that have the method of a change, as its source has them.
func typesWithApply(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	var names []string
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), entry.Name(), nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			f, isFunc := decl.(*ast.FuncDecl)
			if !isFunc || f.Recv == nil || f.Name.Name != "apply" {
				continue
			}
			receiver, isName := f.Recv.List[0].Type.(*ast.Ident)
			require.True(t, isName, "a change is a value: the store's codec makes no pointers")
			names = append(names, receiver.Name)
		}
	}
	return names
}

func TestEveryChangeCanBeStored(t *testing.T) {
	names := typesWithApply(t)
	require.Greater(t, len(names), 15, "the source was found")
	var registered []string
	for name := range changes {
		registered = append(registered, name)
	}
	assert.ElementsMatch(t, names, registered, "add new types of changes to the table in stored.go")
}

// filler sets every field of a value to something that differs from zero and from its neighbours.
type filler struct {
	t testing.TB
	n int64
}

func (f *filler) fill(v reflect.Value, path string) {
	f.t.Helper()
	f.n++
	if moment, isTime := v.Addr().Interface().(*time.Time); isTime {
		*moment = time.Date(2026, 3, 1, 12, 0, 0, int(f.n), time.UTC)
		return
	}
	if number, isBig := v.Addr().Interface().(*big.Int); isBig {
		number.Lsh(big.NewInt(f.n), 100)
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("text <&> \"" + string(rune('a'+f.n%26)) + "\" \u2028 ü")
	case reflect.Int, reflect.Int64:
		v.SetInt(1<<60 + f.n)
	case reflect.Uint64:
		v.SetUint(1<<63 + uint64(f.n))
	case reflect.Uint8:
		v.SetUint(uint64(1 + f.n%2))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			require.True(f.t, field.IsExported(), "%s.%s is not stored", path, field.Name)
			f.fill(v.Field(i), path+"."+field.Name)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem(), path)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			f.fill(v.Index(i), path+"[]")
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		f.fill(key, path+"[key]")
		f.fill(value, path+"[value]")
		v.SetMapIndex(key, value)
	default:
		require.Failf(f.t, "the test cannot fill it", "%s is a %s", path, v.Kind())
	}
}

func TestEveryChangeIsReadAsItWasWritten(t *testing.T) {
	for name, kind := range changes {
		t.Run(name, func(t *testing.T) {
			for _, filled := range []bool{true, false} {
				value := reflect.New(kind).Elem()
				if filled {
					(&filler{t: t}).fill(value, name)
				}
				at, all := time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC), []change{value.Interface().(change)}
				st := newState(0)
				data, err := st.encodeCommit(at, all)
				require.NoError(t, err)
				then, got, err := st.decodeCommit(data)
				require.NoError(t, err)
				assert.Equal(t, at, then)
				assert.Equal(t, all, got, "%s", data)
			}
		})
	}
}

// Events are stored as they were when the file was written: a filled one and an empty one of each type.
func TestStoredFormsStay(t *testing.T) {
	data, err := os.ReadFile("testdata/events.jsonl")
	require.NoError(t, err)
	seen := map[string]int{}
	for line := range strings.Lines(string(data)) {
		stored := strings.TrimSuffix(line, "\n")
		at, read, err := newState(0).decodeCommit([]byte(stored))
		require.NoError(t, err)
		require.Len(t, read, 1)
		again, err := encodeEvent(read[0])
		require.NoError(t, err)
		again.At = at
		require.Equal(t, stored, string(mustJSON(again)))
		seen[reflect.TypeOf(read[0]).Name()]++
	}
	for name := range changes {
		assert.Equal(t, 2, seen[name], "%s: add a filled one and an empty one to testdata/events.jsonl", name)
	}
}

// notInTheTable is a change that somebody forgot to register.
type notInTheTable struct{}

func (notInTheTable) apply(*state, time.Time) {}

func TestOneChangeThatCannotBeStoredStoresNone(t *testing.T) {
	journal := &memory{}
	l := open(t, journal)
	l.must(func(u *Update) error {
		_, err := u.CreateUser(Person{Email: alice})
		return err
	})
	err := l.Update(func(u *Update) error {
		u.change(clockAdvanced{By: time.Hour}, notInTheTable{})
		return nil
	})
	require.ErrorContains(t, err, "notInTheTable is not registered")
	assert.Zero(t, l.state.offset, "it has not taken effect either")

	l = open(t, journal)
	assert.Len(t, l.state.users, 1)
	assert.Zero(t, l.state.offset)
}

func TestWhatTheStoreRefuses(t *testing.T) {
	_, err := encodeEvent(notInTheTable{})
	require.ErrorContains(t, err, "notInTheTable is not registered")
	for name, data := range map[string]string{
		"of a later version":      `{"At":"2026-03-01T12:00:00Z","Type":"companyMerged","Change":{}}`,
		"without a type":          `{"At":"2026-03-01T12:00:00Z","Change":{}}`,
		"that is cut":             `{"At":"2026-03-01T12:00:00Z","Type":"voted","Cha`,
		"with a change of a list": `{"At":"2026-03-01T12:00:00Z","Type":"voted","Change":[]}`,
		"that has more to it":     `{"At":"2026-03-01T12:00:00Z","Type":"voted","Change":{"Mood":"glad"}}`,
		"that is nothing":         ``,
	} {
		_, _, err := newState(0).decodeCommit([]byte(data))
		require.Error(t, err, name)
		if strings.Contains(data, "companyMerged") {
			require.ErrorContains(t, err, `"companyMerged", which this version does not know`)
		}
	}
}
