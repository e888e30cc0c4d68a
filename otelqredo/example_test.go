package otelqredo_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/otelqredo"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/outbox/postgres"
	"github.com/qredo-go/qredo/sandbox"
)

// A call is a span, and so is each attempt of it.
func Example() {
	srv, err := sandbox.Start() // in place of the service
	check(err)
	defer srv.Close()
	exporter := tracetest.NewInMemoryExporter() // instead of an exporter that sends
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))

	client := srv.Client(otelqredo.Client(otelqredo.WithTracerProvider(tracers)))
	_, err = client.Assets.List(context.Background())
	check(err)
	for _, span := range exporter.GetSpans() {
		fmt.Println(span.SpanKind, span.Name)
	}
	// Output:
	// client GET /assets
	// internal GET /assets
}

// What the page shows compiles here.
func Example_page() {
	_ = func(auth qredo.Authenticator, environment qredo.Environment, payments outbox.Store, movements *inbox.FileStore, company qredo.CompanyID, fund qredo.FundID, robot qredo.CoreClientID, rules *approver.Rules) error {
		client, err := qredo.NewClient(auth, qredo.WithEnvironment(environment), otelqredo.Client())
		if err != nil {
			return err
		}
		box, err := outbox.New(client, payments, otelqredo.Outbox())
		if err != nil {
			return err
		}
		in, err := inbox.New(client, movements, inbox.WithFunds(company, fund), otelqredo.Inbox())
		if err != nil {
			return err
		}
		desk, err := approver.New(client, robot, rules, otelqredo.Approver())
		_, _, _ = box, in, desk
		return err
	}
	_ = func(ctx context.Context, exporter sdktrace.SpanExporter, reader sdkmetric.Reader) (err error) {
		tracers := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
		defer func() { err = errors.Join(err, tracers.Shutdown(context.WithoutCancel(ctx))) }() // sends the remaining spans
		otel.SetTracerProvider(tracers)
		otel.SetMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
		return nil
	}
	_ = func(ctx context.Context, pool *pgxpool.Pool) error {
		payments, err := postgres.New(ctx, pool, postgres.WithContextCarrier(otelqredo.Inject))
		_ = payments
		return err
	}
}

// check ends the example if something went wrong.
func check(err error) {
	if err != nil {
		panic(err)
	}
}
