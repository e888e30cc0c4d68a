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
				e := event{At: time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC), Change: value.Interface().(change)}
				data, err := encodeEvent(e)
				require.NoError(t, err)
				got, err := decodeEvent(data)
				require.NoError(t, err)
				assert.Equal(t, e, got, "%s", data)
			}
		})
	}
}

// notInTheTable is a change that somebody forgot to register.
type notInTheTable struct{}

func (notInTheTable) apply(*state, time.Time) {}

// memory is a journal that ends with the test.
type memory struct{ records [][]byte }

func (m *memory) Replay(read func(record []byte) error) error {
	for _, record := range m.records {
		if err := read(record); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) Append(records ...[]byte) error {
	m.records = append(m.records, records...)
	return nil
}

func (m *memory) Reset() error { m.records = nil; return nil }

func (*memory) Close() error { return nil }

func opened(t *testing.T, journal Journal) *World {
	t.Helper()
	w, err := New(Config{Clock: time.Now, Journal: journal, Changed: func() {}})
	require.NoError(t, err)
	return w
}

func TestOneChangeThatCannotBeStoredStoresNone(t *testing.T) {
	journal := &memory{}
	w := opened(t, journal)
	require.NoError(t, w.Update(func(u *Update) error {
		_, err := u.CreateUser(Person{Email: "alice@example.com"})
		return err
	}))
	err := w.Update(func(u *Update) error {
		u.change(clockAdvanced{By: time.Hour}, notInTheTable{})
		return nil
	})
	require.ErrorContains(t, err, "notInTheTable is not registered")
	assert.Zero(t, w.state.offset, "it has not taken effect either")

	w = opened(t, journal)
	assert.Len(t, w.state.users, 1)
	assert.Zero(t, w.state.offset)
}

func TestWhatTheStoreRefuses(t *testing.T) {
	_, err := encodeEvent(event{Change: notInTheTable{}})
	require.ErrorContains(t, err, "notInTheTable is not registered")
	for name, data := range map[string]string{
		"of a later version":      `{"At":"2026-03-01T12:00:00Z","Type":"companyMerged","Change":{}}`,
		"without a type":          `{"At":"2026-03-01T12:00:00Z","Change":{}}`,
		"that is cut":             `{"At":"2026-03-01T12:00:00Z","Type":"voted","Cha`,
		"with a change of a list": `{"At":"2026-03-01T12:00:00Z","Type":"voted","Change":[]}`,
		"that has more to it":     `{"At":"2026-03-01T12:00:00Z","Type":"voted","Change":{"Mood":"glad"}}`,
		"that is nothing":         ``,
	} {
		_, err := decodeEvent([]byte(data))
		require.Error(t, err, name)
		if strings.Contains(data, "companyMerged") {
			require.ErrorContains(t, err, `"companyMerged", which this version does not know`)
		}
	}
}
