package grant_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/auth/grant"
	"github.com/equitylens/equitylens/internal/worldtest"
)

// twin is a grant as the rules say it, written without thought for storage: everything that was
// ever given is kept, and every question is answered from that.
type twin struct {
	subject  string
	code     string
	born     time.Time
	spent    bool
	over     bool
	tokens   []pair
	renewed  time.Time
	revoked  map[string]bool
	barredAt map[string]time.Time
}

// Short lives, so that a few steps cross each of them.
const (
	twinCode, twinAccess, twinRefresh, twinFamily = 20 * time.Second, time.Minute,
		3 * time.Minute, 8 * time.Minute
)

// dead is whether the grant was ended by revocation, second use or bar.
func (g *twin) dead() bool {
	at, barred := g.barredAt[g.subject]
	return g.over || barred && !g.born.After(at)
}

// exchange says whether the code gives tokens now.
func (g *twin) exchange(now time.Time, proof string) bool {
	if g.spent || g.dead() {
		g.over = true
		return false
	}
	return now.Before(g.born.Add(twinCode)) && proof == verifier
}

// renew says whether the i-th refresh token gives tokens now.
func (g *twin) renew(now time.Time, i int) bool {
	if g.dead() || i != len(g.tokens)-1 {
		g.over = true
		return false
	}
	return now.Before(g.renewed.Add(twinRefresh)) && now.Before(g.born.Add(twinFamily))
}

// took notes what was given.
func (g *twin) took(now time.Time, p pair) {
	g.spent, g.renewed, g.tokens = true, now, append(g.tokens, p)
}

// live says whether the i-th access token is live.
func (g *twin) live(now time.Time, i int) bool {
	return !g.dead() && i == len(g.tokens)-1 && !g.revoked[g.tokens[i].access] &&
		now.Before(g.renewed.Add(twinAccess))
}

// usable says whether the i-th refresh token could be used.
func (g *twin) usable(now time.Time, i int) bool {
	return !g.dead() && i == len(g.tokens)-1 && now.Before(g.renewed.Add(twinRefresh)) &&
		now.Before(g.born.Add(twinFamily))
}

// pairOfTwins is a desk with the twins of its grants.
type pairOfTwins struct {
	*desk
	clock *worldtest.Clock
	twins []*twin
	bars  map[string]time.Time
	seen  map[string]int
}

// TestStorageAnswersAsItsTwin takes random steps on some grants and compares each answer, after
// each step every token that one of the grants ever had, and in the end those of all.
func TestStorageAnswersAsItsTwin(t *testing.T) {
	t.Parallel()
	seal, seen := sealer(t), map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		c := newClock()
		d := newDesk(seal(newMemory(c)), c, func(cfg *grant.Config) {
			cfg.CodeLife, cfg.AccessLife = twinCode, twinAccess
			cfg.RefreshLife, cfg.FamilyLife = twinRefresh, twinFamily
		})
		p := &pairOfTwins{desk: d, clock: c, bars: map[string]time.Time{}, seen: seen}
		p.authorize(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"authorize": p.authorize, "authorize again": p.authorize,
			"exchange": p.exchange, "exchange again": p.exchange, "exchange once more": p.exchange,
			"refresh": p.renewLast, "refresh again": p.renewLast, "refresh once more": p.renewLast,
			"refresh by any": p.seldom(p.renewAny), "revoke": p.seldom(p.revoke),
			"revoke a token": p.revokeToken, "bar": p.seldom(p.bar), "replay": p.seldom(p.replay),
			"wait a little": p.wait(1, 10), "wait": p.wait(40, 80), "wait long": p.wait(100, 180),
			"": func(rt *rapid.T) { p.compare(t, rt, p.one(rt)) },
		})
		for _, g := range p.twins {
			p.compare(t, rt, g)
		}
	})
	t.Logf("answers: %v", seen)
	for _, want := range []string{
		"exchange: true", "exchange: false", "refresh: true", "refresh: false",
		"access token: live", "access token: over", "access token: old",
		"refresh token: live", "refresh token: over", "refresh token: old",
	} {
		if seen[want] == 0 {
			t.Errorf("%s was never compared", want)
		}
	}
}

// seldom takes a step that ends a grant one time in four, so that some live to be old.
func (*pairOfTwins) seldom(do func(*rapid.T)) func(*rapid.T) {
	return func(rt *rapid.T) {
		if rapid.IntRange(0, 3).Draw(rt, "seldom") != 0 {
			rt.Skip("not now")
		}
		do(rt)
	}
}

// wait lets some seconds pass.
func (p *pairOfTwins) wait(from, to int) func(*rapid.T) {
	return func(rt *rapid.T) {
		p.clock.Advance(time.Duration(rapid.IntRange(from, to).Draw(rt, "seconds")) * time.Second)
	}
}

// one draws a grant.
func (p *pairOfTwins) one(rt *rapid.T) *twin {
	return p.twins[rapid.IntRange(0, len(p.twins)-1).Draw(rt, "grant")]
}

// token draws one of the tokens of a grant.
func (p *pairOfTwins) token(rt *rapid.T) (g *twin, i int) {
	g = p.one(rt)
	if len(g.tokens) == 0 {
		rt.Skip("no token yet")
	}
	return g, rapid.IntRange(0, len(g.tokens)-1).Draw(rt, "token")
}

// agree holds one answer to that of the twin.
func (p *pairOfTwins) agree(rt *rapid.T, what string, err error, want bool) {
	p.seen[fmt.Sprintf("%s: %v", what, want)]++
	if err != nil && !spent(err) {
		rt.Fatalf("%s = %v", what, err)
	}
	if (err == nil) != want {
		rt.Fatalf("%s = %v, the twin says %v", what, err, want)
	}
}

func (p *pairOfTwins) authorize(rt *rapid.T) {
	subject := rapid.SampledFrom([]string{"ada", "bob"}).Draw(rt, "subject")
	code, err := p.desk.authorize(context.Background(), session(subject))
	if err != nil {
		rt.Fatal(err)
	}
	p.twins = append(p.twins, &twin{
		subject: subject, code: code, born: p.clock.Now(), revoked: map[string]bool{}, barredAt: p.bars,
	})
}

// exchange uses the newest code that was not used.
func (p *pairOfTwins) exchange(rt *rapid.T) {
	for _, g := range slices.Backward(p.twins) {
		if !g.spent {
			p.exchangeOf(rt, g)
			return
		}
	}
	rt.Skip("no code is left")
}

// replay uses any code.
func (p *pairOfTwins) replay(rt *rapid.T) { p.exchangeOf(rt, p.one(rt)) }

// exchangeOf uses the code of a grant.
func (p *pairOfTwins) exchangeOf(rt *rapid.T, g *twin) {
	proof := rapid.SampledFrom([]string{verifier, verifier, another}).Draw(rt, "verifier")
	want := g.exchange(p.clock.Now(), proof)
	got, err := p.desk.exchange(context.Background(), g.code, proof)
	p.agree(rt, "exchange", err, want)
	if want {
		g.took(p.clock.Now(), got)
	}
}

func (p *pairOfTwins) renewAny(rt *rapid.T) {
	g, i := p.token(rt)
	p.renewAt(rt, g, i)
}

func (p *pairOfTwins) renewLast(rt *rapid.T) {
	g, _ := p.token(rt)
	p.renewAt(rt, g, len(g.tokens)-1)
}

// renewAt uses the i-th refresh token of a grant.
func (p *pairOfTwins) renewAt(rt *rapid.T, g *twin, i int) {
	want := g.renew(p.clock.Now(), i)
	got, err := p.renew(context.Background(), g.tokens[i].refresh)
	p.agree(rt, "refresh", err, want)
	if want {
		g.took(p.clock.Now(), got)
	}
}

func (p *pairOfTwins) revoke(rt *rapid.T) {
	g, i := p.token(rt)
	id, _, _ := strings.Cut(g.tokens[i].access, "/")
	g.over = true
	p.agree(rt, "revoke", p.Revoke(context.Background(), id), true)
}

func (p *pairOfTwins) revokeToken(rt *rapid.T) {
	g, i := p.token(rt)
	id, own, _ := strings.Cut(g.tokens[i].access, "/")
	g.revoked[g.tokens[i].access] = true
	p.agree(rt, "revoke a token", p.RevokeToken(context.Background(), id, own), true)
}

func (p *pairOfTwins) bar(rt *rapid.T) {
	subject := rapid.SampledFrom([]string{"ada", "bob"}).Draw(rt, "subject")
	p.bars[subject] = p.clock.Now()
	p.agree(rt, "bar", p.Bar(context.Background(), subject), true)
}

// compare asks about every token of a grant.
func (p *pairOfTwins) compare(t *testing.T, rt *rapid.T, g *twin) {
	now := p.clock.Now()
	for i, tokens := range g.tokens {
		live, usable := g.live(now, i), g.usable(now, i)
		p.state("access token", g, i, live)
		p.state("refresh token", g, i, usable)
		if got := p.live(t, tokens.access); got != live {
			rt.Fatalf("access token %d: live %v, the twin says %v", i, got, live)
		}
		if got := p.usable(t, tokens.refresh); got != usable {
			rt.Fatalf("refresh token %d: usable %v, the twin says %v", i, got, usable)
		}
	}
}

// state counts what was compared: live, over with its grant, or past its time or its turn.
func (p *pairOfTwins) state(what string, g *twin, i int, live bool) {
	switch {
	case live:
		what += ": live"
	case g.dead():
		what += ": over"
	case i == len(g.tokens)-1:
		what += ": old"
	default:
		what += ": replaced"
	}
	p.seen[what]++
}
