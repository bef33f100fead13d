package grant_test

import (
	"context"
	"fmt"
	"time"

	"github.com/equitylens/equitylens/auth/grant"
	"github.com/equitylens/equitylens/store/cache"
)

// An administrator ends all that a person was given, without knowing what that is.
func ExampleStorage_Bar() {
	ctx, now := context.Background(), time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	storage := grant.New(grant.Config{
		Store: cache.NewMemory(cache.MemoryConfig{}),
		Now:   func() time.Time { return now },
	})
	if err := storage.Bar(ctx, "practitioner-17"); err != nil {
		fmt.Println(err)
	}
	for _, issued := range []time.Time{now.Add(-time.Hour), now.Add(time.Hour)} {
		barred, err := storage.Barred(ctx, "practitioner-17", "chart", issued)
		fmt.Println(issued.Format(time.TimeOnly), barred, err)
	}
	// Output:
	// 08:00:00 true <nil>
	// 10:00:00 false <nil>
}
