package fhirtest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"sync"
	"time"
)

// listening is the running part of a server.
type listening struct {
	mu          sync.Mutex
	servers     []*http.Server
	origin      string
	done        sync.WaitGroup
	filesURL    string
	certificate *x509.Certificate
}

const (
	headerTimeout = 10 * time.Second
	certLife      = 24 * time.Hour
)

// Start listens and serves until Close, and returns the FHIR base URL. With RedirectFiles,
// RedirectHTTP or RedirectingDiscovery it listens a second time, as the other origin.
func (s *Server) Start(ctx context.Context) (baseURL string, err error) {
	var config *tls.Config
	if s.config.TLS {
		if config, err = s.selfSigned(); err != nil {
			return "", err
		}
	}
	origin, err := s.listen(ctx, s.config.Listen, config)
	if err != nil {
		return "", err
	}
	s.listening.mu.Lock()
	s.listening.origin = origin
	s.listening.mu.Unlock()
	if s.faults[RedirectFiles] || s.faults[RedirectHTTP] || s.faults[RedirectingDiscovery] {
		if s.faults[RedirectHTTP] {
			config = nil
		}
		files, err := s.listen(ctx, "127.0.0.1:0", config)
		if err != nil {
			return "", errors.Join(err, s.Close())
		}
		s.listening.mu.Lock()
		s.listening.filesURL = files
		s.listening.mu.Unlock()
	}
	return s.home() + s.config.BasePath, nil
}

// listen serves on one address and returns the origin that it makes.
func (s *Server) listen(ctx context.Context, address string, config *tls.Config) (string, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return "", fmt.Errorf("fake EHR: %w", err)
	}
	scheme := "http://"
	origin := l.Addr().String()
	if config != nil {
		scheme, l = "https://", tls.NewListener(l, config)
	}
	server := &http.Server{Handler: s.handler, ReadHeaderTimeout: headerTimeout,
		ErrorLog: log.New(io.Discard, "", 0)}
	s.listening.mu.Lock()
	s.listening.servers = append(s.listening.servers, server)
	s.listening.mu.Unlock()
	s.listening.done.Go(func() { _ = server.Serve(l) })
	return scheme + origin, nil
}

// Close ends every connection and waits until nothing serves any more.
func (s *Server) Close() error {
	s.listening.mu.Lock()
	servers := s.listening.servers
	s.listening.servers = nil
	s.listening.mu.Unlock()
	var errs []error
	for _, server := range servers {
		errs = append(errs, server.Close())
	}
	s.listening.done.Wait()
	return errors.Join(errs...)
}

// Certificate is what a client must trust after Start with Config.TLS; nil without it.
func (s *Server) Certificate() *x509.Certificate {
	s.listening.mu.Lock()
	defer s.listening.mu.Unlock()
	return s.listening.certificate
}

// filesURL is the other origin, or "".
func (s *Server) filesURL() string {
	s.listening.mu.Lock()
	defer s.listening.mu.Unlock()
	if s.listening.filesURL != "" {
		return s.listening.filesURL
	}
	return s.config.FilesURL
}

// selfSigned makes a certificate for loopback that lives a day.
func (s *Server) selfSigned() (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("fake EHR: make key: %w", err)
	}
	now := s.config.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1),
		Subject:   pkix.Name{CommonName: "fake EHR"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certLife), IsCA: true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("fake EHR: make certificate: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("fake EHR: read certificate: %w", err)
	}
	s.listening.mu.Lock()
	s.listening.certificate = certificate
	s.listening.mu.Unlock()
	return &tls.Config{MinVersion: tls.VersionTLS12,
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, nil
}
