package session

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/equitylens/equitylens/auth/smart"
)

const (
	// cookieBytes of randomness are a session's cookie, handleBytes a chart's handle.
	cookieBytes = 32
	handleBytes = 16
	// maxSame bounds how many cookies of one name are tried: a browser sends several where a
	// neighbouring host has planted one.
	maxSame = 4
)

// cookieOf says how one cookie is written. A prefix makes the browser refuse it to plain http, and
// __Host- to neighbouring hosts too; a path other than the root rules that one out.
func (m *Manager) cookieOf(name, path string, framed bool) http.Cookie {
	c := http.Cookie{Name: name, Path: path, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if m.cfg.Insecure {
		return c
	}
	c.Secure = true
	c.Name = "__Secure-" + name
	if path == "/" {
		c.Name = "__Host-" + name
	}
	if framed {
		c.SameSite, c.Partitioned = http.SameSiteNoneMode, true
	}
	return c
}

// signIn is the cookie of a person who has signed in. It is never for a frame: a chart has its own.
func (m *Manager) signIn() http.Cookie { return m.cookieOf("equitylens", "/", false) }

// chart is the cookie of one chart.
func (m *Manager) chart(handle string, framed bool) http.Cookie {
	return m.cookieOf("equitylens-chart", ChartPath(handle), framed)
}

// ChartPath is the path of a chart.
func ChartPath(handle string) string { return "/chart/" + handle }

// set writes a cookie that ends with the browser.
func set(w http.ResponseWriter, c http.Cookie, value string) {
	c.Value = value
	http.SetCookie(w, &c)
}

// unset removes a cookie. The partitioned jar and the other are apart, and what a request brings
// does not say where it came from, so both are emptied.
func (m *Manager) unset(w http.ResponseWriter, plain, framed http.Cookie) {
	plain.MaxAge, framed.MaxAge = -1, -1
	http.SetCookie(w, &plain)
	if framed.Partitioned {
		http.SetCookie(w, &framed)
	}
}

// values returns what a request brings under a name.
func values(r *http.Request, name string) []string {
	var texts []string
	for _, c := range r.CookiesNamed(name) {
		if isRandom(c.Value, cookieBytes) && len(texts) < maxSame {
			texts = append(texts, c.Value)
		}
	}
	return texts
}

// isRandom reports whether a text may be n random bytes of ours.
func isRandom(text string, n int) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && len(b) == n
}

// random draws n bytes.
func (m *Manager) random(n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(m.cfg.Rand, b); err != nil {
		return "", fmt.Errorf("session: draw: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// idOf is the digest of a cookie. The handle goes into it, so that the cookie of one chart opens no
// other; a sign-in has none. Both parts are of fixed length, or absent.
func idOf(handle, cookie string) string {
	sum := sha256.Sum256([]byte("equitylens session\x00" + handle + "\x00" + cookie))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// binding is the cookie that ties a flow to a browser. Each flow has its own, because several
// charts may be opened at once.
func (m *Manager) binding(state string, framed bool) http.Cookie {
	sum := sha256.Sum256([]byte("equitylens flow\x00" + state))
	name := "equitylens-flow-" + base64.RawURLEncoding.EncodeToString(sum[:handleBytes])
	return m.cookieOf(name, "/", framed)
}

// Framed reports whether a request fills a frame of another page, and so which cookies it can be
// given. A browser that does not say is taken to: what works in a frame works in a window too.
// https://www.w3.org/TR/fetch-metadata/#sec-fetch-dest-header
func Framed(r *http.Request) bool { return r.Header.Get("Sec-Fetch-Dest") != "document" }

// SetBinding gives the browser the binding of a flow that was begun; framed says that it was begun
// in a frame.
func (m *Manager) SetBinding(w http.ResponseWriter, begun smart.Begun, framed bool) {
	c := m.binding(begun.State, framed)
	c.MaxAge = int(smart.FlowLife / time.Second)
	set(w, c, begun.Binding)
}

// TakeBinding returns the binding of the flow that a callback names, and removes it from the
// browser; "" if there is none.
func (m *Manager) TakeBinding(w http.ResponseWriter, r *http.Request, state string) string {
	plain := m.binding(state, false)
	found := values(r, plain.Name)
	if state == "" || len(found) == 0 {
		return ""
	}
	m.unset(w, plain, m.binding(state, true))
	return found[0]
}
