// Package fieldcheck tells whether a fixture exercises all fields of what it is read into.
package fieldcheck

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
)

// RequireAllSet asserts that an expected value leaves no field of any of its structs zero everywhere,
// so that a field which is not decoded cannot go unnoticed. Fields are named Type.Field; an exception that
// ends in a dot is for all fields of a type.
func RequireAllSet(t *testing.T, value any, except ...string) {
	t.Helper()
	set := map[string]bool{}
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				walk(v.Elem())
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Map:
			for _, key := range v.MapKeys() {
				walk(v.MapIndex(key))
			}
		case reflect.Struct:
			if v.Type() == reflect.TypeFor[qredo.Time]() || v.Type() == reflect.TypeFor[qapi.BigInt]() {
				return
			}
			for i := range v.NumField() {
				name := v.Type().Name() + "." + v.Type().Field(i).Name
				set[name] = set[name] || !v.Field(i).IsZero()
				walk(v.Field(i))
			}
		}
	}
	walk(reflect.ValueOf(value))
	for name, ok := range set {
		excepted := slices.ContainsFunc(except, func(e string) bool {
			return e == name || strings.HasSuffix(e, ".") && strings.HasPrefix(name, e)
		})
		if !ok && !excepted {
			t.Errorf("the fixture does not exercise %s", name)
		}
	}
}
