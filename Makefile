.PHONY: check test lint bench profile

# What CI runs: the README's tests, formatting, vet, races, lint.
check:
	bash .ci/run

test:
	go test ./...

lint:
	go tool -modfile=tools/go.mod golangci-lint run ./...

# Measures against other clients and writes bench/RESULTS.md. Takes about half an hour on a quiet machine.
bench:
	cd bench && go run ./results

# Leaves pprof files of what is measured beside the benchmarks: go tool pprof bench/cpu.out
profile:
	cd bench && go test -run '^$$' -bench 'GetFree/qredo|Ledger10k/qredo|SandboxReads/clients=64' -benchtime 3s -cpuprofile cpu.out -memprofile mem.out .
