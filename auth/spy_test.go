package auth_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/equitylens/equitylens/auth/authtest"
	"github.com/equitylens/equitylens/store/cache"
)

// Set implements cache.Store.
func (s *spy) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	s.note(key, string(value))
	return s.Store.Set(ctx, key, value, ttl)
}

// SetIfAbsent implements cache.Store.
func (s *spy) SetIfAbsent(
	ctx context.Context, key string, value []byte, ttl time.Duration,
) (bool, error) {
	s.note(key, string(value))
	return s.Store.SetIfAbsent(ctx, key, value, ttl)
}

// Apply implements cache.Store.
func (s *spy) Apply(ctx context.Context, b cache.Batch) error {
	for _, put := range b.Put {
		s.note(put.Key, string(put.Value))
	}
	return s.Store.Apply(ctx, b)
}

// answerOf reads the JSON of an answer.
func answerOf(t testing.TB, rec *httptest.ResponseRecorder) authtest.Answer {
	t.Helper()
	answer := authtest.Answer{Status: rec.Code, Header: rec.Header()}
	if err := json.Unmarshal(rec.Body.Bytes(), &answer.Body); err != nil {
		t.Errorf("answer = %d %s, want JSON", rec.Code, rec.Body)
	}
	return answer
}
