.PHONY: check test lint release licences bench bench-curves profile

# What CI runs: the README's tests, formatting, vet, races, lint.
check:
	bash .ci/run

test:
	go test ./...

lint:
	go tool -modfile=tools/go.mod golangci-lint run ./...

# Makes the files of a release in dist, twice, and compares them: make release VERSION=0.2.0. With the Go that .ci/run calls the newer one: docs/releasing.md.
release:
	GOENV=off GOFLAGS= GOWORK=off GOTOOLCHAIN=$$(sed -n 's/^newer=//p' .ci/run) go -C tools/release run . -version '$(VERSION)'

# Checks the licences of all that is imported.
licences:
	go -C tools/release run . -licences

# Measures against other clients, in turns, and writes bench/RESULTS.md. Takes 15 minutes; what is too noisy is not judged.
bench:
	cd bench && go run ./results

# Measures outbox, inbox and approver with more and more to do, beside River; writes the same file. 50 minutes at most; MILLION=1 goes up to 1,000,000.
bench-curves:
	cd bench && go run ./results $(if $(MILLION),-million -for 3h) curves

# Leaves pprof files of what is measured beside the benchmarks: go tool pprof bench/cpu.out
profile:
	cd bench && go test -run '^$$' -bench 'GetFree/qredo|Ledger10k/qredo|SandboxReads/clients=64' -benchtime 3s -cpuprofile cpu.out -memprofile mem.out .
