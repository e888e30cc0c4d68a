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

// agentServing is what a signing agent is started with, besides its configuration file.
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
		long: `Serves the local REST API and the feed of the Signing Agent, by a configuration file of the old program, until SIGINT or
SIGTERM. It tells first what it does in another way than the old program.

Nothing is approved but by PUT /client/action/ID; by --rules, as "qredo agent run" does by its policy; or, with autoApproval.enabled in the
configuration, everything that is asked. Rules need the API key and the private key of the settings, --audit-log, and one of --store,
--database and --redis, or loadBalancing in the configuration.

SIGHUP has the rules and the pins read anew, SIGUSR1 is the brake, into shadow, and SIGUSR2 goes on in earnest, all as with "qredo agent run"; with
autoApproval too. What people vote by hand is cast all the same.

It listens beyond this machine only if callers must prove who they are: by the token in --token-file, which is made if it is not
there, or by a certificate that --client-ca has signed. GET /livez, /readyz and /metrics tell how it is.`,
		example: `qredo signing-agent start -c cc.yaml
			qredo signing-agent serve -c cc.yaml --token-file token
			qredo signing-agent serve -c cc.yaml --rules policy.yaml --store decisions.db --audit-log audit.jsonl`,
		flags: func(f *flagSet) {
			agentConfigFlag(f, &s.config)
			f.StringVar(&s.tokenFile, "token-file", "", "file of the token that callers must send (http.tokenFile)")
			f.StringVar(&s.clientCA, "client-ca", "", "PEM of who signs the certificates of callers (http.TLS.clientCAFile)")
			f.BoolVar(&s.insecureListen, "insecure-listen", false, "listen beyond this machine although callers need not prove who they are")
			f.StringVar(&s.policy, "rules", "", "file with the rules to approve by")
			f.BoolVar(&s.shadow, "shadow", false, "decide by the rules and tell, and vote on nothing but by hand")
			s.place.flags(f)
			f.StringVar(&s.auditPath, "audit-log", "", "file of the audit log")
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
		return usagef("--client-ca needs http.TLS.enabled: only by TLS can callers show certificates")
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

// agentPolicy is what decides: rules, everything, or people.
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

// agentDecisions opens what decisions are kept in, and shared by.
func (a *app) agentDecisions(ctx context.Context, s *agentServing, c agentserver.Config, backend *agentserver.Signing, log *slog.Logger) (approver.Coordinator, error) {
	if s.place.find(a) == 0 && c.LoadBalancing.Enable {
		s.place.redis = redisURL(c.LoadBalancing.Redis)
	}
	s.place.volatile = s.policy == "" // where nothing is counted, nothing that counts can be forgotten
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
			return nil, fmt.Errorf("what decisions are kept in: %w", err)
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

// redisURL is the server of a configuration.
func redisURL(r agentserver.Redis) string {
	u := url.URL{Scheme: "redis", Host: net.JoinHostPort(strings.Trim(r.Host, "[]"), strconv.Itoa(r.Port)), Path: "/" + strconv.Itoa(r.DB)}
	if r.Password != "" {
		u.User = url.UserPassword("", string(r.Password))
	}
	return u.String()
}

// agentLog logs as the configuration says. What is no level of ours is the nearest.
func agentLog(a *app, c agentserver.Logging) *slog.Logger {
	levels := map[string]slog.Level{
		"trace": slog.LevelDebug, "debug": slog.LevelDebug, "warn": slog.LevelWarn, "warning": slog.LevelWarn,
		"error": slog.LevelError, "fatal": slog.LevelError, "panic": slog.LevelError,
	}
	options := &slog.HandlerOptions{Level: levels[strings.ToLower(c.Level)]} // info, where it is another
	if strings.EqualFold(c.Format, "text") {
		return slog.New(slog.NewTextHandler(a.err, options))
	}
	return slog.New(slog.NewJSONHandler(a.err, options))
}
