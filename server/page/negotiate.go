package page

import (
	"net/http"
	"strings"

	"golang.org/x/text/language"
)

// Parameters by which a reader asks for a language: our own, and that of an authorization request
// (https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest).
const (
	languageParameter  = "lang"
	uiLocalesParameter = "ui_locales"
)

// longestPreference bounds what is read of a reader's wish: real headers are below 200 bytes.
const longestPreference = 1000

// choose returns the index of the language of the reader: by the link they followed, by the program that
// sent them, by their browser, in this order.
func (p *Pages) choose(r *http.Request) int {
	query := r.URL.Query()
	for _, wish := range []string{
		query.Get(languageParameter),
		strings.ReplaceAll(query.Get(uiLocalesParameter), " ", ","),
		strings.Join(r.Header.Values("Accept-Language"), ","),
	} {
		if wish == "" || len(wish) > longestPreference {
			continue
		}
		wanted, _, err := language.ParseAcceptLanguage(wish)
		if err != nil {
			continue
		}
		if _, i, confidence := p.matcher.Match(wanted...); confidence != language.No {
			return i
		}
	}
	return 0
}

// inLanguage returns the reference of the same page in another language: the query alone, so that it
// holds wherever the page is mounted. It is "" where the address holds for one request alone.
func inLanguage(r *http.Request, tag string) string {
	query := r.URL.Query()
	if r.Method == http.MethodPost || query.Has("request_uri") {
		return ""
	}
	query.Set(languageParameter, tag)
	return "?" + query.Encode()
}
