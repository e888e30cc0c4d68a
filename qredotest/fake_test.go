package qredotest_test

import (
	"context"
	"fmt"
	"os/exec"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/qredotest"
	"github.com/qredo-go/qredo/qredotest/qapitest"
)

// failing is a test that fails.
type failing struct {
	mu     sync.Mutex
	errors []string
	ended  bool
}

func (f *failing) Helper() {}

func (f *failing) Errorf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.errors = append(f.errors, fmt.Sprintf(format, args...))
}

func (f *failing) FailNow() { f.ended = true }

func goList(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...).Output()
	require.NoError(t, err)
	return string(out)
}

// fakes are all of them, by the client's field that they stand for.
func fakes(t qredotest.TestingT) (partner, qredoAPI map[string]any) {
	partner = map[string]any{
		"Assets": &qredotest.FakeAssets{T: t}, "Companies": &qredotest.FakeCompanies{T: t}, "CoreClients": &qredotest.FakeCoreClients{T: t},
		"Funds": &qredotest.FakeFunds{T: t}, "SigningAgent": &qredotest.FakeSigningAgent{T: t}, "Swaps": &qredotest.FakeSwaps{T: t},
		"Transfers": &qredotest.FakeTransfers{T: t}, "TrustedNetwork": &qredotest.FakeTrustedNetwork{T: t}, "Wallets": &qredotest.FakeWallets{T: t},
	}
	qredoAPI = map[string]any{
		"Account": &qapitest.FakeAccount{T: t}, "Balance": &qapitest.FakeBalance{T: t}, "Funds": &qapitest.FakeFunds{T: t},
		"Transactions": &qapitest.FakeTransactions{T: t}, "TrustedParties": &qapitest.FakeTrustedParties{T: t}, "Wallets": &qapitest.FakeWallets{T: t},
	}
	return partner, qredoAPI
}

// Each method of each service is one of its fake, of the same type. Called unset it fails the test by its name, returns an
// error, and is noted; set, it passes arguments and results on.
func TestFakesHaveAllMethods(t *testing.T) {
	partner, qredoAPI := fakes(nil)
	methods := 0
	for client, of := range map[reflect.Type]map[string]any{reflect.TypeFor[qredo.Client](): partner, reflect.TypeFor[qapi.Client](): qredoAPI} {
		services := 0
		for i := range client.NumField() {
			field := client.Field(i)
			if !field.IsExported() {
				continue
			}
			services++
			require.Contains(t, of, field.Name, "a service without a fake")
			fake := reflect.ValueOf(of[field.Name])
			for j := range field.Type.NumMethod() {
				method := field.Type.Method(j)
				checkFake(t, fake, method)
				methods++
			}
		}
		require.Len(t, of, services)
	}
	require.GreaterOrEqual(t, methods, 78)
}

func checkFake(t *testing.T, fake reflect.Value, method reflect.Method) {
	t.Helper()
	name := fake.Elem().Type().Name() + "." + method.Name
	test := &failing{}
	fake.Elem().FieldByName("T").Set(reflect.ValueOf(test))
	call := fake.MethodByName(method.Name)
	require.True(t, call.IsValid(), name)
	var args []reflect.Value
	for i := range call.Type().NumIn() - 1 {
		args = append(args, reflect.Zero(call.Type().In(i)))
	}
	args[0] = reflect.ValueOf(t.Context())
	want := fmt.Sprintf("qredotest: %s was called, and %sFunc is not set", name, method.Name)
	for range 2 {
		assert.Equal(t, want, errorOf(call.Call(args)), name)
	}
	assert.Equal(t, []string{want}, test.errors, "a test is told once")
	noted := fake.MethodByName(method.Name + "Calls").Call(nil)[0]
	require.Equal(t, 2, noted.Len(), name)
	require.Equal(t, len(args)+1, noted.Index(0).NumField(), name)

	passed := 0
	of := fake.Elem().FieldByName(method.Name + "Func")
	of.Set(reflect.MakeFunc(of.Type(), func(in []reflect.Value) []reflect.Value {
		require.Len(t, in, len(args)+1, name)
		passed++
		var out []reflect.Value
		for i := range of.Type().NumOut() {
			out = append(out, reflect.Zero(of.Type().Out(i)))
		}
		return out
	}))
	call.Call(args)
	assert.Equal(t, 1, passed, name)
	assert.Len(t, test.errors, 1, name)
}

// errorOf is the error among results: the last, or the first that is ranged over.
func errorOf(results []reflect.Value) string {
	last := results[len(results)-1]
	if last.Kind() != reflect.Func {
		return last.Interface().(error).Error()
	}
	text := ""
	last.Call([]reflect.Value{reflect.MakeFunc(last.Type().In(0), func(args []reflect.Value) []reflect.Value {
		text += args[1].Interface().(error).Error()
		return []reflect.Value{reflect.ValueOf(true)}
	})})
	return text
}

func TestFakeWithoutATest(t *testing.T) {
	assert.PanicsWithValue(t, "qredotest: FakeAssets.List was called, and ListFunc is not set (nor is T, so the test cannot be failed)", func() {
		_, _ = new(qredotest.FakeAssets).List(t.Context())
	})
}

func TestFakeNotesTheOrderOfCalls(t *testing.T) {
	f := &qredotest.FakeTransfers{
		T: t,
		CreateFunc: func(_ context.Context, _ qredo.CompanyID, req qredo.TransferRequest, _ ...qredo.CallOption) (*qredo.Submission, error) {
			return &qredo.Submission{TxID: "t", PartnerTxID: req.PartnerTxID}, nil
		},
		WaitFunc: func(context.Context, qredo.CompanyID, qredo.TxID, ...qredo.CallOption) (*qredo.Transaction, error) {
			return nil, qredo.ErrNotFound
		},
	}
	sent, err := f.Create(t.Context(), "c", qredo.TransferRequest{PartnerTxID: "p"}, qredo.WithoutRetry())
	require.NoError(t, err)
	assert.Equal(t, qredo.PartnerTxID("p"), sent.PartnerTxID)
	_, err = f.Wait(t.Context(), "c", sent.TxID)
	require.ErrorIs(t, err, qredo.ErrNotFound)
	assert.Equal(t, []string{"Create", "Wait"}, f.Calls())
	created := f.CreateCalls()
	require.Len(t, created, 1)
	assert.Equal(t, qredo.CompanyID("c"), created[0].CompanyID)
	assert.Equal(t, qredo.PartnerTxID("p"), created[0].Req.PartnerTxID)
	assert.Len(t, created[0].Opts, 1)
	assert.Equal(t, qredo.TxID("t"), f.WaitCalls()[0].TxID)
	assert.Empty(t, f.GetCalls())
}

func TestFakeFromManyGoroutines(t *testing.T) {
	f := &qredotest.FakeAssets{T: t, ListFunc: func(context.Context, ...qredo.CallOption) ([]qredo.Asset, error) { return nil, nil }}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() { _, _ = f.List(t.Context()) })
	}
	group.Wait()
	assert.Len(t, f.ListCalls(), 8)
	assert.Equal(t, strings.Fields(strings.Repeat("List ", 8)), f.Calls())
}
