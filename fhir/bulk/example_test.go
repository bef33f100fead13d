package bulk_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/equitylens/equitylens/fhir/bulk"
	"github.com/equitylens/equitylens/fhir/client"
)

// Example exports from an open server into a folder.
func Example() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /$export", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Location", "/job")
		w.WriteHeader(http.StatusAccepted)
	})
	mux.HandleFunc("GET /job", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"transactionTime": "2026-01-31T04:00:00Z", "requiresAccessToken": false,
			"output": [{"type": "Patient", "url": "/patients.ndjson", "count": 2}]}`)
	})
	mux.HandleFunc("GET /patients.ndjson", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"resourceType":"Patient","id":"1"}`+"\n"+`{"resourceType":"Patient","id":"2"}`+"\n")
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	dir, err := os.MkdirTemp("", "run")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()

	c, err := client.New(client.Config{BaseURL: server.URL, AllowLoopback: true, Now: time.Now})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	exporter, err := bulk.New(bulk.Config{
		Client: c, Dir: dir, Request: bulk.Request{Types: []string{"Patient"}}, PollFirst: time.Millisecond,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	export, err := exporter.Run(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, file := range export.Files {
		fmt.Println(file.Label, file.Type, file.Lines)
	}
	fmt.Println(export.Since().Format(time.DateOnly), export.Partial)
	// Output:
	// Patient-00001 Patient 2
	// 2026-01-31 false
}
