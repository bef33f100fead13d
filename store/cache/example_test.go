package cache_test

import (
	"context"
	"fmt"
	"time"

	"github.com/equitylens/equitylens/store/cache"
)

// Of two that spend the same assertion the first alone is let in.
func ExampleStore_setIfAbsent() {
	store := cache.NewMemory(cache.MemoryConfig{})
	key := cache.Key("jti", "https://client.example", "5f3a")
	for range 2 {
		won, err := store.SetIfAbsent(context.Background(), key, nil, 5*time.Minute)
		fmt.Println(won, err)
	}
	// Output:
	// true <nil>
	// false <nil>
}
