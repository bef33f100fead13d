package client_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/equitylens/equitylens/fhir/client"
)

// Example searches an open server page by page.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"resourceType": "Bundle", "entry": [
			{"resource": {"resourceType": "AdverseEvent", "id": "1"}},
			{"resource": {"resourceType": "AdverseEvent", "id": "2"}}]}`)
	}))
	defer server.Close()
	c, err := client.New(client.Config{BaseURL: server.URL, AllowLoopback: true, Now: time.Now})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	totals, err := c.Search(context.Background(), client.Query{Type: "AdverseEvent"},
		func(_ context.Context, page client.Page) error {
			fmt.Printf("page %d: %s\n", page.Number, page.Entries)
			return nil
		})
	fmt.Println(totals.Entries, err)
	// Output:
	// page 1: [{"resourceType": "AdverseEvent", "id": "1"} {"resourceType": "AdverseEvent", "id": "2"}]
	// 2 <nil>
}
