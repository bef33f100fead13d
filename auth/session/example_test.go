package session_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/equitylens/equitylens/auth/session"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/store/cache"
)

// A chart opens by its handle together with its cookie, and by neither alone.
func ExampleManager_OfChart() {
	m, err := session.New(session.Config{Store: cache.NewMemory(cache.MemoryConfig{})}) // Sealed in a program.
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, answer := context.Background(), httptest.NewRecorder()
	handle, err := m.Start(ctx, answer, session.Session{Chart: &session.Chart{Patient: phi.New("1")}}, true)
	if err != nil {
		fmt.Println(err)
		return
	}
	at := "https://equitylens.example" + session.ChartPath(handle)
	request := httptest.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	_, err = m.OfChart(request, handle)
	fmt.Println(err)
	for _, c := range answer.Result().Cookies() {
		request.AddCookie(c)
	}
	_, err = m.OfChart(request, handle)
	fmt.Println(err)
	// Output:
	// session: none
	// <nil>
}
