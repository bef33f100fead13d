package server

import (
	"container/list"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits bound how often somebody may ask, in requests a second; 0 is without bound. What was not
// asked for is saved up for a while, so that a burst is no fault.
type Limits struct {
	// Address is for one network address on the doors at which nobody is known yet: the
	// authorization server, the launch, the sign-in. A hospital may come from one address.
	Address float64
	// Client is for one program, or one person at it, on the API, for one address on the CDS
	// service: an EHR, and for one address on the pages that show a session: each look is a line of
	// the audit trail.
	Client float64
}

// DefaultLimits are for a server that the operator has said nothing about: far beyond what a
// hospital asks, and below what wears a server out.
func DefaultLimits() Limits { return Limits{Address: 20, Client: 1000} }

const (
	addressBurst = 5
	clientBurst  = 2
	// maxLimited bounds how many are remembered at a door. Whoever was there last is.
	maxLimited = 10_000
)

// limits are those of all doors.
type limits struct{ addresses, hooks, principals, pages *limiter }

func newLimits(l Limits, now func() time.Time) limits {
	return limits{
		addresses:  newLimiter(l.Address, addressBurst, maxLimited, now),
		hooks:      newLimiter(l.Client, clientBurst, maxLimited, now),
		principals: newLimiter(l.Client, clientBurst, maxLimited, now),
		pages:      newLimiter(l.Client, clientBurst, maxLimited, now),
	}
}

// limiter bounds how often each of many may ask. It is safe for concurrent use.
type limiter struct {
	rate  rate.Limit
	burst int
	size  int
	now   func() time.Time

	mu sync.Mutex
	// order holds *limited, who asked last first.
	order *list.List
	byKey map[string]*list.Element
}

type limited struct {
	key    string
	bucket *rate.Limiter
}

// newLimiter allows perSecond for each, and seconds' worth of them at once. 0 makes one that bounds
// nothing.
func newLimiter(perSecond, seconds float64, size int, now func() time.Time) *limiter {
	if perSecond <= 0 {
		return nil
	}
	return &limiter{
		rate: rate.Limit(perSecond), burst: max(1, int(perSecond*seconds)), size: size, now: now,
		order: list.New(), byKey: map[string]*list.Element{},
	}
}

// take reports whether one may ask now, and if not, when.
func (l *limiter) take(key string) (wait time.Duration, ok bool) {
	if l == nil {
		return 0, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	element, known := l.byKey[key]
	if known {
		l.order.MoveToFront(element)
	} else {
		element = l.order.PushFront(&limited{key: key, bucket: rate.NewLimiter(l.rate, l.burst)})
		l.byKey[key] = element
		if l.order.Len() > l.size {
			oldest := l.order.Remove(l.order.Back()).(*limited)
			delete(l.byKey, oldest.key)
		}
	}
	now := l.now()
	turn := element.Value.(*limited).bucket.ReserveN(now, 1)
	if wait = turn.DelayFrom(now); wait > 0 {
		turn.CancelAt(now)
		return wait, false
	}
	return 0, true
}

// limitedBy bounds a door by the address from which somebody comes.
func (s *Server) limitedBy(l *limiter, next http.Handler) http.Handler {
	if l == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if wait, ok := l.take(network(s.remote(r))); !ok {
			s.fail(w, r, tooOften(wait))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// remote is the IP address from which a request comes. Behind a proxy it is what the proxy, which
// is the last one on the way, says; whatever stands before that in the header anybody may have
// written.
func (s *Server) remote(r *http.Request) string {
	if s.cfg.BehindProxy {
		if all := r.Header.Values("X-Forwarded-For"); len(all) > 0 {
			last := all[len(all)-1]
			last = strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
			if address, err := netip.ParseAddr(last); err == nil {
				return address.Unmap().WithZone("").String()
			}
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if address, err := netip.ParseAddr(host); err == nil {
		return address.Unmap().WithZone("").String()
	}
	return ""
}

// network is whose an address is: of IPv6 everybody has 2^64 of their own.
func network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil || a.Is4() {
		return address
	}
	const ofOne = 64
	prefix, err := a.Prefix(ofOne)
	if err != nil {
		return address
	}
	return prefix.String()
}
