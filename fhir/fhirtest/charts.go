package fhirtest

import (
	"cmp"
	"embed"
	"encoding/json"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

// Situation is one patient whose chart shows something that a page in the chart must be able to
// say.
type Situation = population.Situation

// situationsOf keeps the situations of the population that was asked for last.
type situationsOf struct {
	mu         sync.Mutex
	population *population.Population
	list       []Situation
}

// Situations lists the patients of /ehr: one for each thing that a page in the chart must be able
// to say. LaunchPath says how to open one of them.
func (s *Server) Situations() []Situation {
	s.situations.mu.Lock()
	defer s.situations.mu.Unlock()
	if p := s.population.Load(); p != s.situations.population {
		s.situations.population, s.situations.list = p, p.Situations()
	}
	return slices.Clone(s.situations.list)
}

// LaunchPath is the path below the server's origin that starts the app for the patient of a
// situation, anew each time it is opened: a link that can be printed.
func LaunchPath(situation string) string { return launchPath + situation }

// ChartsURL is where a browser finds the list of patients. The server must have been started, or
// know its PublicURL.
func (s *Server) ChartsURL() string { return cmp.Or(s.config.BrowserURL, s.home()) + ehrPath }

const (
	ehrPath    = "/ehr"
	chartPath  = "/ehr/chart/"
	launchPath = "/ehr/launch/"
	cssPath    = "/ehr/ehr.css"
)

//go:embed web
var web embed.FS

// pages are the templates of the EHR's own pages.
func pages() (*template.Template, error) { return template.ParseFS(web, "web/*.html") }

func (s *Server) routeCharts(mux *http.ServeMux) {
	mux.HandleFunc("GET "+ehrPath, s.servePatients)
	mux.HandleFunc("GET "+chartPath+"{situation}", s.serveChart)
	mux.HandleFunc("GET "+launchPath+"{situation}", s.serveLaunch)
	mux.HandleFunc("GET "+stylePath, serveStyle)
	mux.HandleFunc("GET "+cssPath, serveCSS)
}

// serveStyle is
// https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#smart_style_url
func serveStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	answer(w, http.StatusOK, "application/json", object{
		"color_background": "#f4f6f8", "color_error": "#a4262c", "color_highlight": "#0b5d6b",
		"color_modal_backdrop": "#1b2a33", "color_success": "#1f6b3a", "color_text": "#1b2a33",
		"dim_border_radius": "6px", "dim_font_size": "16px", "dim_spacing_size": "20px",
		"font_family_body":    "system-ui, sans-serif",
		"font_family_heading": "system-ui, sans-serif",
	})
}

func serveCSS(w http.ResponseWriter, _ *http.Request) {
	text, err := fs.ReadFile(web, "web/ehr.css")
	if err != nil {
		http.Error(w, "read stylesheet", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(text)
}

// page is what every page of the EHR shows.
type page struct {
	Title string
	// Users are those who can be at the keyboard, As the one who is.
	Users []User
	As    User
	Here  string
	Data  any
}

// show answers with a page. frame and form are the origins that it may show in a frame, and send a
// form on to, beside its own.
func (s *Server) show(w http.ResponseWriter, status int, name string, p page, frame, form string) {
	all, err := pages()
	if err != nil {
		http.Error(w, "read pages", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", strings.Join([]string{"default-src 'none'", "style-src 'self'",
		"base-uri 'none'", "frame-ancestors 'self'", strings.TrimSpace("form-action 'self' " + form),
		strings.TrimSpace("frame-src 'self' " + frame)}, "; "))
	w.WriteHeader(status)
	_ = all.ExecuteTemplate(w, name, p)
}

// problem is an error that must not be sent to an address that nobody registered.
func (s *Server) problem(w http.ResponseWriter, text string) {
	s.show(w, http.StatusBadRequest, "problem.html", page{Title: "This did not work", Data: text},
		"", "")
}

// originOf is the origin of an absolute URL, for a content security policy.
func originOf(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// atKeyboard is the user that the query names, else the first.
func (s *Server) atKeyboard(r *http.Request) User {
	if u, ok := s.user(r.URL.Query().Get("as")); ok {
		return u
	}
	if len(s.users) > 0 {
		return s.users[0]
	}
	return User{}
}

// patientRow is a patient as a list or a banner shows them.
type patientRow struct {
	Situation
	Family, Given, Birth, Sex, MRN string
	// Where and Since tell the visit; Open says that it is going on.
	Where, Since, Kind string
	Open               bool
}

// row reads what a banner shows from the resources themselves.
func (s *Server) row(of Situation) patientRow {
	var patient struct {
		Gender    string
		BirthDate string
		Name      []struct {
			Family string
			Given  []string
		}
		Identifier []struct{ Value string }
	}
	var visit struct {
		Status          string
		Class           struct{ Display string }
		Period          struct{ Start string }
		ServiceProvider struct{ Display string }
	}
	p := s.population.Load()
	line, _ := p.Read(population.Patient, of.Patient)
	_ = json.Unmarshal(line, &patient)
	line, _ = p.Read(population.Encounter, of.Encounter)
	_ = json.Unmarshal(line, &visit)
	row := patientRow{Situation: of, Birth: patient.BirthDate, Sex: patient.Gender,
		Where: visit.ServiceProvider.Display, Kind: visit.Class.Display,
		Since: moment(visit.Period.Start).In(hospitalZone()).Format("2 January 2006, 15:04"),
		Open:  visit.Status == "in-progress"}
	if len(patient.Name) > 0 {
		row.Family, row.Given = patient.Name[0].Family, strings.Join(patient.Name[0].Given, " ")
	}
	if len(patient.Identifier) > 0 {
		row.MRN = patient.Identifier[0].Value
	}
	return row
}

// servePatients is the list that a user of the EHR starts from.
func (s *Server) servePatients(w http.ResponseWriter, r *http.Request) {
	var rows []patientRow
	for _, of := range s.Situations() {
		rows = append(rows, s.row(of))
	}
	s.show(w, http.StatusOK, "patients.html", page{Title: "My patients", Users: s.users,
		As: s.atKeyboard(r), Here: ehrPath, Data: rows}, "", "")
}

// chartPage is one patient's chart with the app in it.
type chartPage struct {
	Patient patientRow
	// Launch starts the app; Bare asks it to say who the patient is.
	Launch, Bare string
	// Banner says that the EHR names the patient itself.
	Banner bool
	// App says that an app is registered to be opened.
	App    bool
	Cards  []Card
	Advice string
}

// serveChart shows one patient's chart with the app in a frame. With banner=no the frame around the
// app does not say who the patient is, and the app has to.
func (s *Server) serveChart(w http.ResponseWriter, r *http.Request) {
	of, ok := s.situation(r)
	if !ok {
		s.noChart(w)
		return
	}
	as := s.atKeyboard(r)
	query := url.Values{"as": {as.ID}}
	bare := url.Values{"as": {as.ID}, "banner": {"no"}}
	banner := r.URL.Query().Get("banner") != "no"
	c := chartPage{Patient: s.row(of), Banner: banner, App: s.config.AppLaunchURL != "",
		Launch: launchPath + of.Name + "?" + query.Encode(),
		Bare:   launchPath + of.Name + "?" + bare.Encode()}
	if !banner {
		c.Launch = c.Bare
	}
	c.Cards, c.Advice = s.advice(r, of, as)
	s.show(w, http.StatusOK, "chart.html", page{Title: "Chart", Users: s.users, As: as,
		Here: chartPath + of.Name, Data: c}, originOf(s.config.AppLaunchURL), "")
}

// serveLaunch makes a launch and opens the app with it.
func (s *Server) serveLaunch(w http.ResponseWriter, r *http.Request) {
	of, ok := s.situation(r)
	if !ok || s.config.AppLaunchURL == "" {
		s.noChart(w)
		return
	}
	target, err := s.launchAt(s.origin(r), LaunchContext{Patient: of.Patient, Encounter: of.Encounter,
		User: s.atKeyboard(r).ID, NeedPatientBanner: r.URL.Query().Get("banner") == "no"})
	if err != nil {
		s.noChart(w)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, target, http.StatusSeeOther)
}

func (s *Server) situation(r *http.Request) (Situation, bool) {
	list := s.Situations()
	i := slices.IndexFunc(list, func(of Situation) bool { return of.Name == r.PathValue("situation") })
	if i < 0 {
		return Situation{}, false
	}
	return list[i], true
}

func (s *Server) noChart(w http.ResponseWriter) {
	s.show(w, http.StatusNotFound, "problem.html", page{Title: "There is nothing here",
		Data: "No such chart, or no app is registered to be opened from it."}, "", "")
}

// hospitalZone is the zone of the made-up hospitals: Arizona has no summer time.
func hospitalZone() *time.Location { return time.FixedZone("MST", -7*60*60) }
