package main

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/durable"
	"github.com/qredo-go/qredo/internal/pgtest"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/outbox/postgres"
)

// TestOutboxInDatabase has people find, understand and decide what became of payments, with the command and with the page,
// while the program runs that sends them.
func TestOutboxInDatabase(t *testing.T) {
	database := pgtest.Database(t)
	testscript.Run(t, scripts("outbox", func(env *testscript.Env) error {
		env.Setenv("QREDO_OUTBOX_DATABASE", pgtest.Schema(env.T().(testing.TB), database))
		return setUp(env, &recorder{seen: map[string]bool{}})
	}))
}

// TestOutboxInFile is the same with a file, which the program has open: it is reached on the socket beside the file.
func TestOutboxInFile(t *testing.T) {
	testscript.Run(t, scripts("outbox", func(env *testscript.Env) error {
		env.Setenv("QREDO_OUTBOX_FILE", "payments.db")
		return setUp(env, &recorder{seen: map[string]bool{}})
	}))
}

// payer is a program that pays through an outbox, whose page it serves: payer KEY,AMOUNT,LASTS[,PARTNERTXID]... It tells where
// the page is in page.json, and runs until it is interrupted.
func payer() {
	if err := pay(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func pay(payments []string) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	auth, err := qredo.AuthFromEnv()
	if err != nil {
		return err
	}
	client, err := qredo.NewClient(auth, qredo.WithBaseURL(os.Getenv("QREDO_BASE_URL")), qredo.WithRetry(qredo.RetryPolicy{MaxAttempts: 1}))
	if err != nil {
		return err
	}
	store, err := openOutbox(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	const quick = 50 * time.Millisecond
	box, err := outbox.New(client, store, outbox.WithPollInterval(quick), outbox.WithBackoff(quick, quick))
	if err != nil {
		return err
	}
	for _, text := range payments {
		key, request, err := payment(text)
		if err != nil {
			return err
		}
		if _, err := box.Enqueue(ctx, key, request); err != nil {
			return err
		}
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/ops/", http.StripPrefix("/ops", outbox.Handler(box)))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	defer func() { _ = server.Close() }()
	go func() { _ = server.Serve(listener) }()
	served := make(chan error, 1)
	if file := os.Getenv("QREDO_OUTBOX_FILE"); file != "" {
		go func() { served <- outbox.ServeSocket(ctx, box, file) }()
		patiently(func() bool {
			_, err := outbox.DialSocket(ctx, file)
			return err == nil
		})
	} else {
		served <- nil
	}
	if err := durable.Replace("page.json", fmt.Appendf(nil, `{"url":"http://%s/ops"}`, listener.Addr())); err != nil {
		return err
	}
	return errors.Join(box.Run(ctx), <-served)
}

func openOutbox(ctx context.Context) (outbox.Store, error) {
	if file := os.Getenv("QREDO_OUTBOX_FILE"); file != "" {
		return outbox.OpenStore(file)
	}
	return postgres.Open(ctx, os.Getenv("QREDO_OUTBOX_DATABASE"))
}

// payment reads KEY,AMOUNT,LASTS[,PARTNERTXID].
func payment(text string) (key string, request outbox.Request, err error) {
	parts := append(strings.Split(text, ","), "")
	amount, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return "", nil, err
	}
	lasts, err := time.ParseDuration(parts[2])
	return parts[0], outbox.Transfer{CompanyID: qredo.CompanyID(os.Getenv("COMPANY")), TransferRequest: qredo.TransferRequest{
		WalletID: qredo.WalletID(os.Getenv("TREASURY")), Counterparty: os.Getenv("TRADING"), Reference: "for " + parts[0],
		PartnerTxID: qredo.PartnerTxID(parts[3]), Expires: qredo.TimeOf(time.Now().Add(lasts)),
		Send: qredo.AssetAmount{Asset: "BTC-TESTNET", Amount: qredo.Amount(amount)},
	}}, err
}

// browse is a person's browser: browse URL [FIELD=VALUE...] prints the text of a page. With fields, it fills them into the
// form that has them all, sends it, and prints the page that comes then.
func browse() {
	text, err := browsed(os.Args[1], os.Args[2:])
	fmt.Println(text)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var (
	forms    = regexp.MustCompile(`(?s)<form class="\w+" method="post" action="([^"]*)".*?</form>`)
	tags     = regexp.MustCompile(`(?s)<style>.*</style>|<[^>]*>`)
	newLines = regexp.MustCompile(`\s*\n\s*`)
)

func browsed(address string, fields []string) (string, error) {
	page, err := visit(http.MethodGet, address, nil)
	if err != nil || len(fields) == 0 {
		return page.text(), err
	}
	filled := url.Values{}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, "=")
		filled.Set(name, value)
	}
	for _, form := range forms.FindAllStringSubmatch(page.body, -1) {
		if !takes(form[0], filled) {
			continue
		}
		to, err := page.url.Parse(html.UnescapeString(form[1]))
		if err != nil {
			return "", err
		}
		page, err = visit(http.MethodPost, to.String(), filled)
		return page.text(), err
	}
	return page.text(), fmt.Errorf("no form has the fields %v", fields)
}

var required = regexp.MustCompile(`name="(\w+)"[^>]* required`)

// takes reports whether a browser sends a form that is filled so.
func takes(form string, filled url.Values) bool {
	for name, values := range filled {
		text := `<(?:input class="\w+"|textarea[^>]*) name="` + name + `"`
		choice := `<input type="radio" name="` + name + `" value="` + regexp.QuoteMeta(values[0]) + `"[^>]*>`
		field := regexp.MustCompile(text + "|" + choice).FindString(form)
		if field == "" || strings.Contains(field, " disabled") {
			return false
		}
	}
	for _, field := range required.FindAllStringSubmatch(form, -1) {
		if filled.Get(field[1]) == "" {
			return false
		}
	}
	return true
}

// page is what a browser shows.
type page struct {
	url  *url.URL
	body string
}

func (p page) text() string {
	return newLines.ReplaceAllString(html.UnescapeString(tags.ReplaceAllString(p.body, " ")), "\n")
}

func visit(method, address string, form url.Values) (page, error) {
	req, err := http.NewRequestWithContext(context.Background(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return page{}, err
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	client := &http.Client{Timeout: time.Minute}
	res, err := client.Do(req)
	if err != nil {
		return page{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = errors.New(res.Status)
	}
	return page{res.Request.URL, string(body)}, err
}
