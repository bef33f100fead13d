package smart

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/internal/phi"
)

const (
	// assumedLife is taken where the server does not say how long a token lives.
	assumedLife = 5 * time.Minute
	// longestLife bounds what a server says.
	longestLife = 24 * time.Hour
	// maxContext bounds the entries of fhirContext.
	maxContext = 64
	// maxText bounds intent, tenant and the URL of a style.
	maxText = 2048
)

// answer is a token response.
type answer struct {
	token   Token
	idToken string
	members map[string]json.RawMessage
}

// readAnswer reads a token response (RFC 6749 section 5.1, SMART launch context). What servers
// leave out or write otherwise is forgiven where nothing depends on it; members are compared
// letter by letter, unknown ones are passed over.
func readAnswer(body []byte, asked []string, now time.Time) (answer, error) {
	var a answer
	if json.Unmarshal(body, &a.members) != nil { // The decoder's own words may quote a token.
		return answer{}, fmt.Errorf("%w: not a token response", ErrAnswer)
	}
	a.token.Access = a.text("access_token")
	unprintable := func(r rune) bool { return r <= ' ' || r > '~' }
	if a.token.Access == "" || strings.ContainsFunc(a.token.Access, unprintable) {
		return answer{}, fmt.Errorf("%w: no usable access_token", ErrAnswer)
	}
	if a.members["token_type"] != nil && !strings.EqualFold(a.text("token_type"), "bearer") {
		return answer{}, fmt.Errorf("%w: not a bearer token", ErrAnswer)
	}
	a.token.Refresh, a.idToken = a.text("refresh_token"), a.text("id_token")
	a.token.Expires = now.Add(lifeOf(a.members["expires_in"]))
	granted := strings.Fields(a.text("scope"))
	if len(granted) == 0 {
		granted = asked // RFC 6749: the answer may leave out what is as asked.
	}
	a.token.Scopes = readable(granted)
	return a, nil
}

// text returns a member that is a string; "" for every other.
func (a answer) text(name string) string {
	var text string
	if json.Unmarshal(a.members[name], &text) != nil {
		return ""
	}
	return text
}

// short returns a text without control characters that is not longer than maxText; else "".
func (a answer) short(name string) string {
	text := a.text(name)
	control := func(r rune) bool { return r < ' ' || r == 0x7f }
	if len(text) > maxText || strings.ContainsFunc(text, control) {
		return ""
	}
	return text
}

// lifeOf reads expires_in, a number or the text of one.
func lifeOf(raw json.RawMessage) time.Duration {
	n, err := strconv.ParseFloat(strings.Trim(string(raw), `"`), 64)
	if err != nil || !(n > 0) { // Not "n <= 0", which a NaN passes.
		return assumedLife
	}
	return time.Duration(min(n, longestLife.Seconds()) * float64(time.Second))
}

// readable drops what is no scope: some servers grant words of their own.
func readable(texts []string) scope.Set {
	var set scope.Set
	for _, text := range texts {
		if s, err := scope.Parse(text); err == nil {
			set = append(set, s)
		}
	}
	return set
}

// context reads the launch context.
// https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
func (a answer) context() (Context, error) {
	c := Context{Intent: a.short("intent"), Tenant: a.short("tenant"), NeedPatientBanner: true}
	var err error
	if c.Patient, err = a.id("patient"); err != nil {
		return Context{}, err
	}
	if c.Encounter, err = a.id("encounter"); err != nil {
		return Context{}, err
	}
	if strings.Trim(string(a.members["need_patient_banner"]), `"`) == "false" {
		c.NeedPatientBanner = false
	}
	if u, err := url.Parse(a.short("smart_style_url")); err == nil && permit(u, false) == nil {
		c.StyleURL = u.String()
	}
	c.FHIR = a.references()
	return c, nil
}

// id reads a logical id. Whatever else a server puts there, a reference or a number, is refused:
// the page must not be about a patient that was guessed at.
func (a answer) id(name string) (phi.ID, error) {
	raw := a.members[name]
	if raw == nil || bytes.Equal(raw, []byte("null")) {
		return phi.ID{}, nil
	}
	text := a.text(name)
	if !isID(text) {
		return phi.ID{}, fmt.Errorf("%w: %s is not a logical id", ErrAnswer, name)
	}
	return phi.New(text), nil
}

// maxID is longer than the 64 characters of FHIR: a large vendor was seen to use more.
const maxID = 255

// isID accepts the alphabet of FHIR's ids, and not the names of folders "." and "..".
func isID(text string) bool {
	strange := func(r rune) bool {
		return notLetter(r) && (r < '0' || r > '9') && r != '-' && r != '.'
	}
	return text != "" && len(text) <= maxID && !strings.ContainsFunc(text, strange) &&
		strings.Trim(text, ".") != ""
}

// references reads fhirContext. What cannot be read in it is left out, because nothing depends on
// it.
func (a answer) references() []Reference {
	var entries []json.RawMessage
	if json.Unmarshal(a.members["fhirContext"], &entries) != nil {
		return nil
	}
	var list []Reference
	for _, raw := range entries[:min(len(entries), maxContext)] {
		var e struct {
			Reference string `json:"reference"`
			Canonical string `json:"canonical"`
			Type      string `json:"type"`
			Role      string `json:"role"`
		}
		if json.Unmarshal(raw, &e) != nil || e.Reference == "" && e.Canonical == "" {
			continue
		}
		kind, id, ok := strings.Cut(e.Reference, "/")
		if e.Reference != "" && (!ok || !isType(kind) || !isID(id)) {
			continue
		}
		if e.Type == "" {
			e.Type = kind
		}
		list = append(list, Reference{
			Type: e.Type, Reference: phi.New(e.Reference), Canonical: e.Canonical, Role: e.Role,
		})
	}
	return list
}

// isType accepts what is spelt like a resource type.
func isType(text string) bool {
	if text == "" || len(text) > 64 || text[0] < 'A' || text[0] > 'Z' {
		return false
	}
	return !strings.ContainsFunc(text, notLetter)
}

// notLetter is for the letters of ASCII.
func notLetter(r rune) bool { return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') }
