// Package qredotest helps you test programs that use this SDK. Choose the tool by what you test:
//
//   - A fake, to test what your own code does with what the service returns: [FakeTransfers] and the other fakes have a field
//     for each method, and record how they were called. Have your code accept an interface with the two or three methods that
//     it needs.
//   - A [Service] or an [Answer], to test failures on the way: refusals, status 429, a proxy's page, a lost answer. The real
//     client runs, with its retries and its handling of unknown outcomes; there is no network.
//   - A [Fixture], where a body must be exactly what the service sends: for your own server or mock, or for code that reads
//     stored answers.
//   - The sandbox, where balances, approvals and expiries must follow from earlier calls. Package world starts one with
//     everything around it, also in a bubble of package testing/synctest, where no test has to wait.
//
// The packages are separate so that importing this one costs little: it imports only the client. It needs neither testify nor
// httpmock, and works with both. Package qapitest does the same for Qredo API v1. docs/testing.md shows each in use.
package qredotest

//go:generate go run ./internal/fakegen -source .. -import github.com/qredo-go/qredo -package qredotest
