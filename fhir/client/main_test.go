package client

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails if a test leaves a goroutine behind: a body that nobody closed, a timer, a worker.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
