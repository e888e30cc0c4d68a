package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/internal/agentserver"
	"github.com/qredo-go/qredo/signingagent"
)

// agentServing holds the options that a signing agent is started with, besides its configuration file.
type agentServing struct {
	config, tokenFile, clientCA string
	insecureListen              bool
	policy, auditPath, replica  string
	place                       agentPlace
	pins                        agentPinned
	closing                     []func() error
	shadow                      bool
	signals                     *reloads
}

func (a *app) signingAgentServe() *cobra.Command {
	var s agentServing
	cmd := a.command(command{
		use: "serve", short: "Serve the Signing Agent's API until it is interrupted",
		long: `Serves the local REST API and the feed of the Signing Agent, with a configuration file of the old program, until SIGINT or
SIGTERM. At the start it prints what it does differently from the old program.

An action is approved only by PUT /client/action/ID; or by --rules, as "qredo agent run" does by its policy; or always, if
autoApproval.enabled is set in the configuration. Rules need the API key and the private key of the settings, --audit-log,
and one of --store, --database and --redis, or loadBalancing in the configuration.

SIGHUP reloads the rules and the pins, SIGUSR1 is the brake and enters shadow, and SIGUSR2 leaves shadow, all as with "qredo
agent run", and with autoApproval too. Votes by hand are always cast.

It accepts connections from other machines only if callers must authenticate, by the token in --token-file, which is created
if it is missing, or by a certificate that --client-ca signed. GET /livez, /readyz and /metrics report its health.`,
		example: `qredo signing-agent start -c cc.yaml
			qredo signing-agent serve -c cc.yaml --token-file token
			qredo signing-agent serve -c cc.yaml --rules policy.yaml --store decisions.db --audit-log audit.jsonl`,
		flags: func(f *flagSet) {
			agentConfigFlag(f, &s.config)
			f.StringVar(&s.tokenFile, "token-file", "", "file that holds the token that callers must send (http.tokenFile)")
			f.StringVar(&s.clientCA, "client-ca", "", "PEM of the authority that signs callers' certificates (http.TLS.clientCAFile)")
			f.BoolVar(&s.insecureListen, "insecure-listen", false, "accept connections from other machines although callers need not authenticate")
			f.StringVar(&s.policy, "rules", "", "file with the rules to approve by")
			f.BoolVar(&s.shadow, "shadow", false, "decide by the rules and report, but vote only by hand")
			s.place.flags(f)
			f.StringVar(&s.auditPath, "audit-log", "", "audit log file")
			f.StringVar(&s.replica, "replica", "", "name of this replica in the audit log")
			s.pins.flags(f)
		},
		catch: func() (stop func()) {
			s.signals = catchReloads()
			return s.signals.stop
		},
		check: func() error {
			switch {
			case s.place.find(a) > 1:
				return usagef("only one of --store, --database and --redis can be given")
			case s.policy != "" && s.auditPath == "" && !s.shadow:
				return usagef("--rules needs --audit-log, or --shadow")
			case s.policy == "" && s.shadow:
				return usagef("--shadow needs --rules")
			case s.policy == "" && s.pins.file != "":
				return usagef("--pins needs --rules")
			}
			return s.pins.check()
		},
		run: func(ctx context.Context, _ []string) error { return a.serveAgent(ctx, s) },
	})
	cmd.Aliases = []string{"start"}
	return cmd
}

func (a *app) serveAgent(ctx context.Context, s agentServing) (err error) {
	if err := a.banner(); err != nil {
		return err
	}
	c, err := a.agentConfig(s.config)
	if err != nil {
		return err
	}
	c.HTTP.TokenFile = cmp.Or(s.tokenFile, c.HTTP.TokenFile)
	if s.clientCA != "" && !c.HTTP.TLS.Enabled {
		return usagef("--client-ca needs http.TLS.enabled: callers can show certificates only with TLS")
	}
	c.HTTP.TLS.ClientCAFile = cmp.Or(s.clientCA, c.HTTP.TLS.ClientCAFile)
	log := agentLog(a, c.Logging)
	for _, text := range c.Differences(s.insecureListen, s.policy != "") {
		log.Warn(text)
	}
	defer func() {
		for _, end := range s.closing {
			err = errors.Join(err, end())
		}
	}()
	backend := &agentserver.Signing{Config: c}
	if backend.Identity, err = identityStore(c.Store, s.place.insecure); err != nil {
		return err
	}
	if backend.ClientOptions, err = a.clientOptions(setting{value: c.Base.QredoAPI, source: "base.qredoAPI"}); err != nil {
		return err
	}
	if err := backend.Check(); err != nil {
		return err
	}
	if err := a.agentPolicy(ctx, &s, c, backend); err != nil {
		return err
	}
	coordinator, err := a.agentDecisions(ctx, &s, c, backend, log)
	if err != nil {
		return err
	}
	server, err := agentserver.New(c, backend, agentserver.Options{
		Log: log, Now: a.now, Coordinator: coordinator, InsecureListen: s.insecureListen, InsecureFiles: s.place.insecure,
	})
	if err != nil {
		return err
	}
	return server.Run(ctx)
}

// agentPolicy is what decides: rules, automatic approval, or people.
func (a *app) agentPolicy(ctx context.Context, s *agentServing, c agentserver.Config, backend *agentserver.Signing) error {
	if s.policy == "" {
		if c.AutoApproval.Enabled {
			backend.Policy = signingagent.ApproveAll
		}
		return nil
	}
	rules, err := a.rules(s.policy, s.place.insecure)
	if err != nil {
		return err
	}
	auth, err := a.rsaAuth()
	if err != nil {
		return err
	}
	if backend.RSA, err = a.newClient(auth, setting{value: c.Base.QredoAPI, source: "base.qredoAPI"}); err != nil {
		return err
	}
	backend.Policy = rules
	return a.checkDecimals(ctx, backend.RSA, rules)
}

// agentDecisions opens the store that keeps and shares decisions.
func (a *app) agentDecisions(ctx context.Context, s *agentServing, c agentserver.Config, backend *agentserver.Signing, log *slog.Logger) (approver.Coordinator, error) {
	if s.place.find(a) == 0 && c.LoadBalancing.Enable {
		s.place.redis = redisURL(c.LoadBalancing.Redis)
	}
	s.place.volatile = s.policy == "" // without rules nothing is counted, so nothing can be forgotten
	opts := []approver.Option{approver.WithClock(a.now), approver.WithReplica(s.replica), approver.WithLogger(log)}
	opts, err := s.pins.option(opts, s.place.insecure)
	if err != nil {
		return nil, err
	}
	var coordinator approver.Coordinator
	switch {
	case s.place.find(a) > 0:
		store, err := s.place.open(ctx, a, false)
		if err != nil {
			return nil, fmt.Errorf("the store of decisions: %w", err)
		}
		s.closing = append(s.closing, store.close)
		opts = append(opts, approver.WithStore(store.Store))
		backend.Shared = func(ctx context.Context) error {
			_, err := store.LastSeq(ctx)
			return err
		}
		if coordinator = store.Coordinator; coordinator != nil {
			opts = append(opts, approver.WithCoordinator(coordinator))
		}
	case s.policy != "" && !s.shadow:
		return nil, usagef("--rules needs --store, --database or --redis, or loadBalancing in the configuration, or --shadow")
	}
	if s.auditPath != "" {
		audit, err := s.place.openLog(a, s.auditPath)
		if err != nil {
			return nil, err
		}
		s.closing = append([]func() error{func() error {
			fmt.Fprintf(a.err, "audit log %s ends with %s\n", s.auditPath, audit.Head())
			return audit.Close()
		}}, s.closing...)
		opts = append(opts, approver.WithAuditLog(audit))
	}
	if s.shadow {
		opts = append(opts, approver.WithShadow())
	}
	backend.Approver = opts
	backend.Steer = func(ctx context.Context, run *approver.Approver) (end func()) {
		return s.signals.steer(ctx, run, s.shadow, func(ctx context.Context, shadow bool) (approver.Policy, error) {
			switch {
			case s.policy == "":
				return backend.Policy, nil
			case !shadow && (s.place.find(a) == 0 || s.auditPath == ""):
				return nil, errors.New("--store and --audit-log are needed to vote")
			}
			return a.checkedRules(ctx, backend.RSA, s.policy, s.place.insecure)
		}, func(text string, err error) {
			if err != nil {
				log.Error(text+", which could not be written down", "error", err.Error())
				return
			}
			log.Warn(text)
		})
	}
	return coordinator, nil
}

// redisURL is the URL of the Redis server in a configuration.
func redisURL(r agentserver.Redis) string {
	u := url.URL{Scheme: "redis", Host: net.JoinHostPort(strings.Trim(r.Host, "[]"), strconv.Itoa(r.Port)), Path: "/" + strconv.Itoa(r.DB)}
	if r.Password != "" {
		u.User = url.UserPassword("", string(r.Password))
	}
	return u.String()
}

// agentLog logs as the configuration says. An unknown level becomes the nearest one.
func agentLog(a *app, c agentserver.Logging) *slog.Logger {
	levels := map[string]slog.Level{
		"trace": slog.LevelDebug, "debug": slog.LevelDebug, "warn": slog.LevelWarn, "warning": slog.LevelWarn,
		"error": slog.LevelError, "fatal": slog.LevelError, "panic": slog.LevelError,
	}
	options := &slog.HandlerOptions{Level: levels[strings.ToLower(c.Level)]} // info for any other level
	if strings.EqualFold(c.Format, "text") {
		return slog.New(slog.NewTextHandler(a.err, options))
	}
	return slog.New(slog.NewJSONHandler(a.err, options))
}
