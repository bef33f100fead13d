package fhirtest

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// LaunchContext is what an EHR's user has open when they start the app.
type LaunchContext struct {
	// Patient and Encounter are logical ids; Encounter may be "".
	Patient   string
	Encounter string
	// User is the id of the EHR's user; "" means the first of them.
	User string
	// NeedPatientBanner says that the EHR's own frame does not name the patient.
	NeedPatientBanner bool
	Intent            string
}

// launch is a context that waits for the app to ask for it. It is good once, and not for long.
type launch struct {
	context LaunchContext
	ends    time.Time
}

// launchLife is how long an app may take between its launch and its authorization request.
const launchLife = 5 * time.Minute

// Launch makes an EHR launch as Config.AppLaunchURL gets it, and returns the URL that the EHR
// opens:
// https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch. It is good once.
// The server must have been started, or know its PublicURL.
func (s *Server) Launch(c LaunchContext) (launchURL string, err error) {
	home := s.home()
	if home == "" || s.config.AppLaunchURL == "" {
		return "", errors.New("fake EHR: make a launch: it was not started, or has no AppLaunchURL")
	}
	return s.launchAt(home, c)
}

func (s *Server) launchAt(home string, c LaunchContext) (string, error) {
	if c.User == "" && len(s.users) > 0 {
		c.User = s.users[0].ID
	}
	if _, ok := s.user(c.User); !ok {
		return "", fmt.Errorf("fake EHR: make a launch: user %q is unknown", c.User)
	}
	target, err := url.Parse(s.config.AppLaunchURL)
	if err != nil {
		return "", fmt.Errorf("fake EHR: read AppLaunchURL: %w", err)
	}
	handle := s.secret()
	now := s.config.Now()
	s.mu.Lock()
	for h, l := range s.launches {
		if l.ends.Before(now) {
			delete(s.launches, h)
		}
	}
	s.launches[handle] = launch{context: c, ends: now.Add(launchLife)}
	s.mu.Unlock()
	query := target.Query()
	query.Set("iss", home+s.config.BasePath)
	query.Set("launch", handle)
	target.RawQuery = query.Encode()
	return target.String(), nil
}

// takeLaunch spends a launch handle.
func (s *Server) takeLaunch(handle string) (LaunchContext, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.launches[handle]
	delete(s.launches, handle)
	return l.context, ok && s.config.Now().Before(l.ends)
}

// home is the origin at which programs reach the server; "" before Start.
func (s *Server) home() string {
	if s.config.PublicURL != "" {
		return s.config.PublicURL
	}
	s.listening.mu.Lock()
	defer s.listening.mu.Unlock()
	return s.listening.origin
}

// origin is PublicURL, or what the caller called the server.
func (s *Server) origin(r *http.Request) string {
	if s.config.PublicURL != "" {
		return s.config.PublicURL
	}
	return origin(r)
}

// window is the origin at which browsers reach the server.
func (s *Server) window(r *http.Request) string {
	if s.config.BrowserURL != "" {
		return s.config.BrowserURL
	}
	return s.origin(r)
}
