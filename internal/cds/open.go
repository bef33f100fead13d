package cds

import "net/http"

// open wraps a handler of one method: it answers preflights, allows the browser applications of
// registered EHRs to read the answer, and refuses other methods. No cookie is ever looked at, so
// credentials are not allowed. https://cds-hooks.hl7.org/2.0/#cors
func (s *Service) open(method string, next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Add("Vary", "Origin")
		if origin := r.Header.Get("Origin"); s.origins[origin] {
			h.Set("Access-Control-Allow-Origin", origin)
			if r.Method == http.MethodOptions {
				h.Set("Access-Control-Allow-Methods", method)
				h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept-Language")
				h.Set("Access-Control-Max-Age", "600")
			}
		}
		switch r.Method {
		case method:
			next(w, r)
		case http.MethodOptions:
			h.Set("Allow", method+", OPTIONS")
			w.WriteHeader(http.StatusNoContent)
		default:
			h.Set("Allow", method+", OPTIONS")
			s.refuse(w, &problem{http.StatusMethodNotAllowed, "the method is not allowed"})
		}
	})
}

// Handler serves discovery, the service and its feedback below Path.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(Path, s.Discovery())
	mux.Handle(Path+"/{id}", s.Service())
	mux.Handle(Path+"/{id}/feedback", s.Feedback())
	return mux
}

// description is one service in discovery.
type description struct {
	Hook        string            `json:"hook"`
	ID          string            `json:"id"`
	Title       string            `json:"title"`
	Description string            `json:"description"`
	Prefetch    map[string]string `json:"prefetch"`
	Usage       string            `json:"usageRequirements"`
}

// Discovery answers at Path, to everybody: it says nothing that is not public.
func (s *Service) Discovery() http.Handler {
	services := map[string][]description{"services": {{
		Hook: hook, ID: ServiceID, Title: "Interpreter not documented",
		Description: "Shows one card when the patient needs an interpreter and none is documented for " +
			"the current encounter.",
		Prefetch: map[string]string{
			prefetchPatient:   "Patient/{{context.patientId}}",
			prefetchEncounter: "Encounter/{{context.encounterId}}",
		},
		Usage: "Without context.encounterId there is no card. Without prefetch the access token needs " +
			"to read Patient and Encounter.",
	}}}
	return s.open(http.MethodGet, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=300")
		write(w, http.StatusOK, services)
	})
}
