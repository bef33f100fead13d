package page

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// policy is what a browser may do with a page, beyond reading its style sheet and its mark.
type policy struct {
	// ancestors may show the page in a frame of theirs: origins. Empty: nobody may.
	ancestors []string
	// redirect is where the answer to the form of the page may send the browser: browsers hold the
	// redirect of a form to form-action too.
	redirect string
	// script lets a script of our own run, which hears from us and writes nothing but text.
	script bool
}

// set writes the policy. It replaces what is there, which is meant for answers that are no page.
func (p policy) set(h http.Header) {
	ancestors := make([]string, 0, len(p.ancestors))
	for _, a := range p.ancestors {
		if source := origin(a); strings.Contains(source, "://") {
			ancestors = append(ancestors, source)
		}
	}
	embedders := strings.Join(ancestors, " ")
	h.Del("X-Frame-Options")
	if embedders == "" {
		embedders = "'none'"
		h.Set("X-Frame-Options", "DENY")
	}
	forms := "'self'"
	if source := origin(p.redirect); source != "" {
		forms += " " + source
	}
	scripts := ""
	if p.script {
		scripts = "script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'; "
	}
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; "+scripts+
		"form-action "+forms+"; base-uri 'none'; frame-ancestors "+embedders)
	// To others nothing is told. To ourselves it is, or browsers would send forms with the origin null.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Robots-Tag", "noindex")
}

// host is a name, an IPv4 address or an IPv6 address in brackets, with or without a port. What is
// anything else could end the directive and begin another.
var host = regexp.MustCompile(`^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)

// scheme is that of a program on a device, which has no host of its own.
var scheme = regexp.MustCompile(`^[a-z][a-z0-9+.-]*$`)

// origin returns the source expression for a URL: its origin, or its scheme alone where it is neither
// http nor https; "" where it has none.
func origin(text string) string {
	u, err := url.Parse(text)
	if err != nil || !scheme.MatchString(u.Scheme) {
		return ""
	}
	switch u.Scheme {
	case "http", "https":
		if !host.MatchString(u.Host) {
			return ""
		}
		return u.Scheme + "://" + u.Host
	case "javascript", "data", "blob", "filesystem", "about", "file":
		return ""
	}
	return u.Scheme + ":"
}
