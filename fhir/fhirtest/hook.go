package fhirtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

// HookRequest is one call of a CDS Hooks service, as an EHR makes it when a chart is opened.
type HookRequest struct {
	Patient   string
	Encounter string
	// User is the id of the EHR's user; "" means the first of them.
	User string
	// WithPrefetch fills in Prefetch, WithAuthorization sends a token for the patient.
	WithPrefetch      bool
	WithAuthorization bool
	// Prefetch are the templates of the service's discovery, by key; nil means patient and
	// encounter. Only reads are filled in.
	Prefetch map[string]string
	// Scopes are those of the token; "" means patient/Patient.rs patient/Encounter.rs.
	Scopes string
	// Claims and Header change what the EHR's JWT says, for calls that are to be refused: a nil
	// removes a claim, another value replaces it. Body changes the request in the same way.
	Claims map[string]any
	Header map[string]any
	Body   map[string]any
}

// HookResponse is what the service said.
type HookResponse struct {
	Status int
	Header http.Header
	Body   []byte
	Cards  []Card
	// Instance is the hookInstance of the call.
	Instance string
}

// Card is the part of a CDS card that this EHR shows.
type Card struct {
	UUID      string
	Summary   string
	Detail    string
	Indicator string
	Source    struct{ Label, URL string }
	Links     []struct{ Label, URL, Type, AppContext string }
}

const (
	hookKeysPath = "/auth/cds-jwks"
	hookLife     = 5 * time.Minute
	// hookTokenLife is that of the token that goes with a call.
	hookTokenLife    = 5 * time.Minute
	mostHookResponse = 1 << 20
	// adviceTime is how long a chart waits for advice: CDS Hooks services answer within 500 ms.
	adviceTime = 2 * time.Second
)

// HookKeysURL is where the keys of the EHR's CDS calls are; it is the jku of their JWTs. HookIssuer
// is their iss. The server must have been started, or know its PublicURL.
func (s *Server) HookKeysURL() string { return s.home() + hookKeysPath }

// HookIssuer is the iss of the JWT of a CDS call.
func (s *Server) HookIssuer() string { return s.home() }

func (s *Server) serveHookKeys(w http.ResponseWriter, _ *http.Request) {
	s.serveKey(w, s.signing.Load().hooks, object{})
}

// CallHook calls the patient-view service at serviceURL as an EHR does, with a JWT of its own
// (https://cds-hooks.hl7.org/2.0/#trusting-cds-clients).
func (s *Server) CallHook(
	ctx context.Context, serviceURL string, h HookRequest,
) (HookResponse, error) {
	if h.User == "" && len(s.users) > 0 {
		h.User = s.users[0].ID
	}
	user, ok := s.user(h.User)
	if !ok {
		return HookResponse{}, fmt.Errorf("fake EHR: call service: user %q is unknown", h.User)
	}
	out := HookResponse{Instance: s.uuid()}
	about := object{"userId": practitioner + "/" + user.ID, "patientId": h.Patient}
	if h.Encounter != "" {
		about["encounterId"] = h.Encounter
	}
	body := object{"hook": "patient-view", "hookInstance": out.Instance, "context": about}
	if h.WithAuthorization {
		s.authorizeHook(body, h, user)
	}
	if h.WithPrefetch {
		body["prefetch"] = s.prefetch(h)
	}
	change(body, h.Body)
	err := s.post(ctx, serviceURL, h, body, &out)
	if err != nil || out.Status != http.StatusOK {
		return out, err
	}
	var advice struct{ Cards []Card }
	if err := json.Unmarshal(out.Body, &advice); err != nil {
		return out, fmt.Errorf("fake EHR: read cards: %w", err)
	}
	out.Cards = advice.Cards
	return out, nil
}

// authorizeHook gives the service a token of the user for the one patient.
func (s *Server) authorizeHook(body object, h HookRequest, user User) {
	scopes := strings.Fields(h.Scopes)
	if len(scopes) == 0 {
		scopes = []string{"patient/Patient.rs", "patient/Encounter.rs"}
	}
	v := &visit{app: "cds-service", scopes: scopes, user: user, at: s.config.Now(),
		launch: &LaunchContext{Patient: h.Patient, Encounter: h.Encounter, User: user.ID}}
	token := s.keep(grant{client: v.app, scopes: scopes, visit: v}, hookTokenLife)
	body["fhirServer"] = s.home() + s.config.BasePath
	body["fhirAuthorization"] = object{"access_token": token, "token_type": "Bearer",
		"expires_in": int(hookTokenLife.Seconds()), "scope": strings.Join(scopes, " "),
		"subject": v.app, "patient": h.Patient}
}

// prefetch reads what the templates ask for. What cannot be read is null, as CDS Hooks wants it.
func (s *Server) prefetch(h HookRequest) object {
	templates := h.Prefetch
	if templates == nil {
		templates = map[string]string{"patient": "Patient/{{context.patientId}}",
			"encounter": "Encounter/{{context.encounterId}}"}
	}
	out := object{}
	for key, template := range templates {
		path := strings.NewReplacer("{{context.patientId}}", h.Patient,
			"{{context.encounterId}}", h.Encounter).Replace(template)
		name, id, _ := strings.Cut(path, "/")
		out[key] = nil
		if t, ok := population.ParseType(name); ok {
			if line, standing := s.population.Load().Read(t, id); standing == population.Current {
				out[key] = json.RawMessage(line)
			}
		}
	}
	return out
}

// Feedback tells the service what became of a card: accepted or overridden, with the code of a
// reason or "".
func (s *Server) Feedback(
	ctx context.Context, serviceURL, card, outcome, reason string,
) (HookResponse, error) {
	said := object{"card": card, "outcome": outcome,
		"outcomeTimestamp": s.config.Now().UTC().Format(time.RFC3339)}
	if reason != "" {
		said["overrideReason"] = object{"reason": object{"code": reason}}
	}
	if outcome == "accepted" {
		said["acceptedSuggestions"] = []object{}
	}
	var out HookResponse
	err := s.post(ctx, serviceURL+"/feedback", HookRequest{}, object{"feedback": []object{said}}, &out)
	return out, err
}

// HookToken is the JWT by which the EHR says who it is to the service at audience; change and
// header as in HookRequest.
func (s *Server) HookToken(audience string, claims, header map[string]any) (string, error) {
	key, err := s.signing.Load().hooks()
	if err != nil {
		return "", err
	}
	now := s.config.Now()
	said := object{"iss": s.HookIssuer(), "aud": audience, "iat": now.Unix(),
		"exp": now.Add(hookLife).Unix(), "jti": s.uuid()}
	change(said, claims)
	marks := object{"jku": s.HookKeysURL()}
	change(marks, header)
	return sign(key, key.KeyID, marks, said)
}

// change lays changes over what is there; a nil removes.
func change(body object, changes map[string]any) {
	maps.Copy(body, changes)
	maps.DeleteFunc(body, func(name string, value any) bool {
		changed, ok := changes[name]
		return ok && changed == nil && value == nil
	})
}

func (s *Server) post(
	ctx context.Context, target string, h HookRequest, body object, out *HookResponse,
) (err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("fake EHR: write hook: %w", err)
	}
	token, err := s.HookToken(target, h.Claims, h.Header)
	if err != nil {
		return fmt.Errorf("fake EHR: sign hook: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("fake EHR: call service: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := s.config.HTTP.Do(request)
	if err != nil {
		return fmt.Errorf("fake EHR: call service: %w", err)
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	out.Status, out.Header = response.StatusCode, response.Header
	if out.Body, err = io.ReadAll(io.LimitReader(response.Body, mostHookResponse)); err != nil {
		return fmt.Errorf("fake EHR: read answer of service: %w", err)
	}
	return nil
}

// uuid makes a random UUID: RFC 9562, section 5.4.
func (s *Server) uuid() string {
	b := s.random(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// advice is what the CDS service says of the chart, for the chart's page. A service that does not
// answer never keeps anybody from the chart.
func (s *Server) advice(r *http.Request, of Situation, as User) (cards []Card, problem string) {
	if s.config.HookURL == "" {
		return nil, ""
	}
	ctx, stop := context.WithTimeout(r.Context(), adviceTime)
	defer stop()
	out, err := s.CallHook(ctx, s.config.HookURL, HookRequest{Patient: of.Patient,
		Encounter: of.Encounter, User: as.ID, WithPrefetch: true, WithAuthorization: true})
	switch {
	case err != nil:
		return nil, "The advice service did not answer."
	case out.Status != http.StatusOK:
		return nil, fmt.Sprintf("The advice service answered with status %d.", out.Status)
	}
	for i := range out.Cards {
		out.Cards[i].Detail = plain(out.Cards[i].Detail)
	}
	return out.Cards, ""
}

// plain takes the marks out of a card's Markdown: this EHR shows text alone.
func plain(markdown string) string {
	text := strings.NewReplacer("**", "", "`", "", "\n- ", "\n• ").Replace(markdown)
	return strings.TrimSpace(strings.ReplaceAll(text, "\n\n", "\n"))
}
