// Package qapitest does for Qredo API v1 what package qredotest does for the Partner API: it has fixtures, a service that
// answers by operation, and a fake of each service of [qapi.Client].
package qapitest

//go:generate go run ../internal/fakegen -source ../../qapi -import github.com/qredo-go/qredo/qapi -package qapitest
