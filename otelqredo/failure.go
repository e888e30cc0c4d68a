package otelqredo

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/qredo-go/qredo"
)

// errorType is one of a few words for an error, and contains nothing else of it. The ones from op are operations of
// package net.
func errorType(err error) string {
	var (
		answer      *qredo.Error
		timeout     interface{ Timeout() bool }
		name        *net.DNSError
		certificate *tls.CertificateVerificationError
		op          *net.OpError
	)
	switch {
	case errors.Is(err, qredo.ErrOutcomeUnknown):
		return "outcome_unknown"
	case errors.Is(err, qredo.ErrBadAnswer):
		return "bad_answer"
	case errors.As(err, &answer) && answer.StatusCode != 0:
		return strconv.Itoa(answer.StatusCode)
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.As(err, &name):
		return "dns"
	case errors.As(err, &certificate):
		return "certificate"
	case errors.As(err, &op) && (op.Op == "dial" || op.Op == "read" || op.Op == "write"):
		return op.Op
	}
	return semconv.ErrorTypeOther.Value.AsString()
}

// fail marks a span as failed, with one of a few words as the reason, and returns it as an attribute.
func fail(span trace.Span, reason string) attribute.KeyValue {
	attr := semconv.ErrorTypeKey.String(reason)
	span.SetAttributes(attr)
	span.SetStatus(codes.Error, reason)
	return attr
}

// failed is fail for an error; without one it returns no attribute.
func failed(span trace.Span, err error) []attribute.KeyValue {
	if err == nil {
		return nil
	}
	return []attribute.KeyValue{fail(span, errorType(err))}
}
