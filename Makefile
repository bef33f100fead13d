# EquityLens is one Go program. `make` alone prints what can be made.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo development)
BIN     := bin/equitylens
VULN    := golang.org/x/vuln/cmd/govulncheck@v1.8.0
LINT    := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# DuckDB is linked by cgo; without it the build fails far from the cause.
export CGO_ENABLED := 1

.DEFAULT_GOAL := help
.PHONY: help demo demo-network build install test lint fuzz vulncheck soak-decisions bench check-deploy image clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build ## build, then show the equity gaps of a made-up hospital; DEMO=... passes flags
	$(BIN) demo $(DEMO)

demo-network: build ## build, then let eight made-up institutions hand in to a coordinator; DEMO=... passes flags
	$(BIN) demo-network $(DEMO)

build: ## build bin/equitylens
	$(GO) build -trimpath -ldflags "-X main.version=$(VERSION)" -o $(BIN) ./cmd/equitylens

install: build ## install the program below PREFIX (default /usr/local)
	install -D -m 0755 $(BIN) $(DESTDIR)$(or $(PREFIX),/usr/local)/bin/equitylens

test: ## install what the tests need where possible, then run every test with the race detector
	scripts/test.sh

lint: ## run the linters of .golangci.yml (built from source the first time)
	$(GO) run $(LINT) run ./...

fuzz: ## run every fuzz target for FUZZTIME (default 30s) each
	scripts/fuzz.sh $(or $(FUZZTIME),30s)

vulncheck: ## report known faults of our dependencies that this program can reach (asks vuln.go.dev)
	$(GO) run $(VULN) ./...

soak-decisions: ## kill programs that write decisions a thousand times, and look for what was acknowledged
	EQUITYLENS_KILL_ROUNDS=1000 $(GO) test -count=1 -run OutlivesAKill -timeout 2h -v ./store/decisions

bench: ## print the ratios of speed and memory, measured in one run; wants 25 GB of disk and minutes
	$(GO) test -run '^$$' -bench . -benchtime 3x -timeout 60m ./internal/bench

check-deploy: build ## check the example configuration and everything in deploy/
	$(BIN) check --config deploy/equitylens.yaml
	$(GO) test -count=1 ./deploy/... ./internal/config

image: ## build the container image equitylens:VERSION
	docker build -f deploy/Dockerfile --build-arg VERSION=$(VERSION) -t equitylens:$(VERSION) .

clean: ## remove what was built
	rm -rf bin
