package fhirtest

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

// Config says what a server serves, to whom, and how it misbehaves.
type Config struct {
	// Population is what it serves; required.
	Population *population.Population
	// Clients are the registered backend clients; without one no program can get a token.
	Clients []Client
	// Apps are the registered SMART apps, and Users who can be signed in to them; nil means Staff.
	Apps  []App
	Users []User
	// SignInAs is the user who signs in outside a chart without being asked, for tests; "" asks.
	SignInAs string
	// Withhold are scopes of users that nobody is granted, such as patient/AdverseEvent.rs.
	Withhold []string
	// AppLaunchURL is the launch URL of the app that the EHR's charts open; HookURL the CDS Hooks
	// service of patient-view that they ask, "" for none.
	AppLaunchURL string
	HookURL      string
	// PublicURL is the origin that programs know the server by, "" for the one that they call.
	// BrowserURL is the one that browsers know it by, where that is another; it needs PublicURL.
	PublicURL  string
	BrowserURL string
	// Random is where tokens, codes and handles come from; nil means crypto/rand.Reader.
	Random io.Reader
	// Faults are switched on for the life of the server.
	Faults []Fault
	// Now is the server's clock; required. The transactionTime of an export is Population.AsOf
	// instead.
	Now func() time.Time
	// Listen is where Start listens; "" means 127.0.0.1:0.
	Listen string
	// TLS makes Start serve https with a certificate of its own, see Server.Certificate.
	TLS bool
	// FilesURL is the other origin of RedirectFiles, RedirectHTTP and RedirectingDiscovery, where
	// Handler is served too; Start sets one up itself.
	FilesURL string
	// HTTP fetches the clients' KeysURL; nil means a client with a timeout of ten seconds.
	HTTP *http.Client
	// BasePath is the path of the FHIR base; "" means /fhir.
	BasePath string
	// GroupID is the one Group that can be exported; "" means all.
	GroupID string
	// TokenLife is how long an access token is good for; 0 means 300 s, the most that SMART advises.
	TokenLife time.Duration
	// UserTokenLife is how long an access token of a user is good for; 0 means an hour.
	UserTokenLife time.Duration
	// Latency is how long SlowAnswers takes for every answer of the FHIR API; 0 means 3 s.
	Latency time.Duration
	// ManifestVersion is the version of Bulk Data Access whose manifest is given, 1 to 4; 0 means 2.
	ManifestVersion int
	// FilesPerType is how many files a type is spread over; 0 means 2.
	FilesPerType int
	// Compress sends files with Content-Encoding gzip to those who accept it.
	Compress bool
	// OpenFiles gives files without a token, and says requiresAccessToken false.
	OpenFiles bool
	// Polls is how often a job answers 202 before it is done; 0 means once, -1 never.
	Polls int
	// RetryAfter is the patience asked for; 0 means 1 s. It is rounded up to seconds on the wire.
	RetryAfter time.Duration
	// BulkAdverseEvents offers AdverseEvent in exports too. Few real servers do.
	BulkAdverseEvents bool
	// HugeLine is the size of HugeLine's line; 0 means 100 MiB. Bomb is what GzipBomb expands to; 0
	// means 10 GiB. TinyFiles bounds ManyTinyFiles; 0 means 20,000.
	HugeLine  int64
	Bomb      int64
	TinyFiles int
}

// Client is a registered backend client.
type Client struct {
	ID string
	// Keys are its public keys; if nil they are fetched from KeysURL for every token.
	Keys    *jose.JSONWebKeySet
	KeysURL string
	// Scopes are what it may be granted; empty means system/*.rs.
	Scopes []string
}

// Server is a fake EHR. It keeps tokens and jobs in memory, and generates every byte that it
// serves.
type Server struct {
	config     Config
	faults     map[Fault]bool
	clients    map[string]Client
	population atomic.Pointer[population.Population]
	handler    http.Handler
	listening  listening
	leaked     atomic.Int64
	rotations  atomic.Int64
	apps       map[string]App
	users      []User
	signing    atomic.Pointer[signing]
	situations situationsOf
	// dice guards Config.Random.
	dice sync.Mutex

	mu      sync.Mutex
	tokens  map[string]grant
	used    map[string]time.Time
	jobs    map[string]*job
	started int
	// asked holds the URLs, or files, that were answered once, for the faults that fail once.
	asked     map[string]bool
	launches  map[string]launch
	questions map[string]question
	codes     map[string]*code
	refreshes map[string]*refresh
	signInAs  string
}

// Defaults of Config.
const (
	defaultTokenLife = 300 * time.Second
	shortTokenLife   = 2 * time.Second
	userTokenLife    = time.Hour
	usualLatency     = 3 * time.Second
	skew             = 10 * time.Minute
	keysTimeout      = 10 * time.Second
	newestManifest   = 4
)

// NewServer checks c and returns a server that does not listen yet.
func NewServer(c Config) (*Server, error) {
	var faults []error
	if c.Population == nil {
		faults = append(faults, errors.New("population is missing"))
	}
	if c.Now == nil {
		faults = append(faults, errors.New("now is missing"))
	}
	if c.ManifestVersion < 0 || c.ManifestVersion > newestManifest {
		faults = append(faults, fmt.Errorf("manifest version %d is not 1 to %d", c.ManifestVersion,
			newestManifest))
	}
	s := &Server{faults: map[Fault]bool{}, clients: map[string]Client{}, tokens: map[string]grant{},
		used: map[string]time.Time{}, jobs: map[string]*job{}, asked: map[string]bool{},
		apps: map[string]App{}, launches: map[string]launch{}, questions: map[string]question{},
		codes: map[string]*code{}, refreshes: map[string]*refresh{}}
	s.RotateKeys()
	faults = append(faults, s.register(c))
	for _, f := range c.Faults {
		if !slices.Contains(Faults(), f) {
			faults = append(faults, fmt.Errorf("fault %q is unknown", f))
		}
		s.faults[f] = true
	}
	for _, client := range c.Clients {
		if client.ID == "" || (client.Keys == nil && client.KeysURL == "") {
			faults = append(faults, fmt.Errorf("client %q lacks an id or keys", client.ID))
		}
		if len(client.Scopes) == 0 {
			client.Scopes = []string{"system/*.rs"}
		}
		s.clients[client.ID] = client
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("fake EHR: %w", err)
	}
	s.config = withDefaults(c, s.faults)
	s.population.Store(c.Population)
	s.handler = s.routes()
	return s, nil
}

func withDefaults(c Config, faults map[Fault]bool) Config {
	orElse(&c.Listen, "127.0.0.1:0")
	orElse(&c.BasePath, "/fhir")
	c.BasePath = "/" + strings.Trim(c.BasePath, "/")
	orElse(&c.GroupID, "all")
	orElse(&c.TokenLife, defaultTokenLife)
	orElse(&c.UserTokenLife, userTokenLife)
	orElse(&c.Latency, usualLatency)
	if faults[ShortToken] {
		c.TokenLife, c.UserTokenLife = shortTokenLife, shortTokenLife
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	orElse(&c.ManifestVersion, 2)
	orElse(&c.FilesPerType, 2)
	orElse(&c.Polls, 1)
	orElse(&c.RetryAfter, time.Second)
	orElse(&c.HugeLine, 100<<20)
	orElse(&c.Bomb, 10<<30)
	orElse(&c.TinyFiles, 20_000)
	if c.HTTP == nil {
		c.HTTP = &http.Client{Timeout: keysTimeout}
	}
	return c
}

// orElse sets a zero value to its default.
func orElse[T comparable](value *T, otherwise T) {
	var zero T
	if *value == zero {
		*value = otherwise
	}
}

// Handler serves everything: the FHIR base, the token endpoint, and the files of the other origin.
func (s *Server) Handler() http.Handler { return s.handler }

// SetPopulation changes what later exports and searches see: the next day, for instance. Jobs that
// have begun keep what they began with.
func (s *Server) SetPopulation(p *population.Population) { s.population.Store(p) }

// LeakedTokens is how many requests brought an Authorization header to the other origin.
func (s *Server) LeakedTokens() int { return int(s.leaked.Load()) }

// Jobs is how many export jobs were started, and how many of them are not deleted.
func (s *Server) Jobs() (started, open int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.started, len(s.jobs)
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	base := s.config.BasePath
	fhir := func(pattern string, h http.HandlerFunc) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.Handle(method+" "+base+path, s.limited(h))
	}
	mux.HandleFunc("GET "+authorizePath, s.serveAuthorize)
	mux.HandleFunc("POST "+authorizePath, s.serveAuthorize)
	mux.HandleFunc("POST "+signInPath, s.serveSignIn)
	mux.HandleFunc("POST "+tokenPath, s.serveToken)
	mux.HandleFunc("POST "+introspectPath, s.serveIntrospection)
	mux.HandleFunc("GET "+keysPath, s.serveKeys)
	mux.HandleFunc("GET "+hookKeysPath, s.serveHookKeys)
	s.routeCharts(mux)
	mux.HandleFunc("GET /files/{job}/{name}", s.serveForeignFile)
	mux.HandleFunc("GET "+base+"/.well-known/smart-configuration", s.serveDiscovery)
	mux.HandleFunc("GET "+base+"/.well-known/openid-configuration", s.serveOpenID)
	mux.HandleFunc("GET "+base+"/metadata", s.serveCapabilities)
	for _, method := range []string{"GET", "POST"} {
		fhir(method+" /$export", s.serveExport)
		fhir(method+" /Patient/$export", s.serveExport)
		fhir(method+" /Group/{group}/$export", s.serveExport)
	}
	fhir("GET /bulkstatus/{job}", s.serveStatus)
	fhir("DELETE /bulkstatus/{job}", s.serveDelete)
	fhir("GET /bulkfiles/{job}/{name}", s.serveFile)
	fhir("GET /{type}", s.slowly(s.serveSearch))
	fhir("GET /{type}/{id}", s.slowly(s.serveRead))
	return s.dated(mux)
}

// dated sets the Date header from the server's own clock.
func (s *Server) dated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
		next.ServeHTTP(w, r)
	})
}

// limited applies RateLimit.
func (s *Server) limited(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.faults[RateLimit] && s.first("limit "+r.Method+" "+r.URL.RequestURI()) {
			s.askPatience(w)
			refuse(w, http.StatusTooManyRequests, "throttled", "too many requests")
			return
		}
		next(w, r)
	})
}

// first reports whether key is asked for the first time.
func (s *Server) first(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	again := s.asked[key]
	s.asked[key] = true
	return !again
}

// now is the server's clock, which may be fast.
func (s *Server) now() time.Time {
	if s.faults[ClockSkew] {
		return s.config.Now().Add(skew)
	}
	return s.config.Now()
}

// base is the FHIR base URL as the caller reached it.
func (s *Server) base(r *http.Request) string { return s.origin(r) + s.config.BasePath }

// secretBytes is the size of tokens, codes and handles: 160 bits.
const secretBytes = 20

// secret makes a token, a code or a handle.
func (s *Server) secret() string { return base32.StdEncoding.EncodeToString(s.random(secretBytes)) }

func (s *Server) random(n int) []byte {
	buf := make([]byte, n)
	s.dice.Lock()
	defer s.dice.Unlock()
	if _, err := io.ReadFull(s.config.Random, buf); err != nil {
		panic(fmt.Sprintf("fake EHR: read random bytes: %v", err))
	}
	return buf
}

// slowly applies SlowAnswers.
func (s *Server) slowly(next http.HandlerFunc) http.HandlerFunc {
	if !s.faults[SlowAnswers] {
		return next
	}
	return func(w http.ResponseWriter, r *http.Request) {
		wait := time.NewTimer(s.config.Latency)
		defer wait.Stop()
		select {
		case <-r.Context().Done():
		case <-wait.C:
			next(w, r)
		}
	}
}

func origin(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
