#!/usr/bin/env bash
# Runs every test with the race detector. What the tests need is installed where this can be done
# (Debian packages, as root); where it cannot, what is missing is said and nothing is run.
#
#   scripts/test.sh            everything
#   scripts/test.sh ./auth/... some packages; further arguments go to go test
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '== %s\n' "$*"; }

missing=()

# The oldest Go that go.mod allows.
need_go() {
  if ! command -v go >/dev/null; then
    missing+=("go: install Go $wanted or newer from https://go.dev/doc/install")
    return
  fi
  local have
  have=$(go env GOVERSION)
  have=${have#go}
  have=${have%% *}
  if [ "$(printf '%s\n%s\n' "$wanted" "$have" | sort -V | head -n 1)" != "$wanted" ]; then
    missing+=("go: version $have is installed, go.mod asks for $wanted or newer; see https://go.dev/doc/install")
  fi
}

# Debian packages that are not there, as "command:package" pairs.
need_packages() {
  local pair absent=()
  for pair in "$@"; do
    command -v "${pair%%:*}" >/dev/null || absent+=("${pair##*:}")
  done
  [ ${#absent[@]} -eq 0 ] && return
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    say "installing ${absent[*]}"
    if apt-get update -qq &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${absent[@]}"; then
      return
    fi
    missing+=("${absent[*]}: apt-get could not install them; its message stands above")
    return
  fi
  missing+=("${absent[*]}: install them with: sudo apt-get install ${absent[*]}")
}

# A PostgreSQL to start: Debian keeps its programs off the path. What the package starts by itself is
# stopped again; the tests start one of their own.
need_postgres() {
  local version name rest
  if compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v pg_config >/dev/null; then
    return
  fi
  need_packages /usr/lib/postgresql/initdb:postgresql
  if command -v pg_lsclusters >/dev/null; then
    pg_lsclusters -h | while read -r version name rest; do
      pg_ctlcluster "$version" "$name" stop 2>/dev/null || true
    done
  fi
}

# axe-core looks whether everybody can use the pages. It is fetched once, from where it is published, and
# kept; nothing of it is in this repository.
axe_version=4.14.1
axe_sha512=FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==
need_axe() {
  local folder="${XDG_CACHE_HOME:-$HOME/.cache}/equitylens/axe-core-$axe_version" archive
  if [ ! -s "$folder/axe.min.js" ]; then
    say "fetching axe-core $axe_version"
    archive=$(mktemp)
    if ! curl -fsSL --retry 2 --max-time 60 -o "$archive" \
      "https://registry.npmjs.org/axe-core/-/axe-core-$axe_version.tgz" ||
      [ "$(openssl dgst -sha512 -binary "$archive" | base64 -w0)" != "$axe_sha512" ]; then
      rm -f "$archive"
      say "axe-core could not be fetched as it was published; the pages are not held against WCAG"
      return
    fi
    mkdir -p "$folder"
    tar -xzOf "$archive" package/axe.min.js >"$folder/axe.min.js.new"
    mv "$folder/axe.min.js.new" "$folder/axe.min.js"
    rm -f "$archive"
  fi
  export EQUITYLENS_AXE="$folder/axe.min.js"
}

wanted=$(awk '$1 == "go" { print $2; exit }' go.mod)
need_go
# The stores' databases are linked by cgo; the stores for what expires and for what is decided are tested
# on real servers, and the pages in a real browser, which prints them too.
need_packages g++:g++ redis-server:redis-server chromium:chromium curl:curl openssl:openssl \
  pdftotext:poppler-utils
need_postgres
if [ ${#missing[@]} -gt 0 ]; then
  printf 'The tests cannot run; missing:\n' >&2
  printf '  %s\n' "${missing[@]}" >&2
  exit 1
fi
if [ "$(go env CGO_ENABLED)" != 1 ]; then
  printf 'The tests cannot run: CGO_ENABLED is 0, and DuckDB, SQLite and the race detector need cgo.\n' >&2
  exit 1
fi

if [ $# -eq 0 ]; then
  set -- ./...
fi

say "gofmt"
unformatted=$(gofmt -l -s $(go list -f '{{.Dir}}' ./...))
if [ -n "$unformatted" ]; then
  printf 'not formatted; run gofmt -s -w on:\n%s\n' "$unformatted" >&2
  exit 1
fi

# Vetted with -race, so that what is compiled here is used again by the tests.
say "go vet"
go vet -race ./...

need_axe
# The race detector takes several times the memory, so what is promised of memory is tested without it.
if [ "$*" = ./... ]; then
  say "go test, of memory"
  go test -run 'TestMemoryStaysBelowAGibibyte' ./internal/ingest
  # It also takes ten times as long, so pages are opened without it, and with it what goes on at once.
  # Without -short every page is opened, and not every third.
  say "go test, of pages"
  go test -short -shuffle=on ./internal/dashboard
  go test -race -shuffle=on ./internal/dashboard \
    -run 'AtOnce|NobodyWaits|BrokenPage|OneSession|WhoLeaves|Keeper|ARush|AStream|Streams|ASync|Trail|EachRole|WhoSees'
  # So do packs, submissions and pages full of hostile text, of which a part is tried below.
  say "go test, of hostile texts and submissions"
  go test -shuffle=on -run 'TestHostileText|TestWhatTheCoordinatorSaysIsText|TestWhatIsReleasedCanBeHandedIn' \
    ./improvement/evidence ./improvement/network ./internal/acting ./internal/institution
  # And walks through the whole program, in a browser and by commands.
  say "go test, of walks"
  go test -shuffle=on -timeout 15m ./cmd/equitylens \
    -run 'TestTheDashboardInABrowser|TestFromAnEventToItsEffect|TestEightInstitutionsHandIn'
  mapfile -t packages < <(go list ./... | grep -v '/internal/dashboard$')
  set -- "${packages[@]}"
fi

say "go test"
exec go test -race -shuffle=on -timeout 20m "$@"
