package phi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/internal/phi"
)

func TestIDIsNeverPrinted(t *testing.T) {
	t.Parallel()
	const canary = "canary-7731"
	type record struct {
		ID  phi.ID
		Ptr *phi.ID
	}
	id := phi.New(canary)
	rec := record{ID: id, Ptr: &id}

	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+"\n", id)
		fmt.Fprintf(&out, verb+"\n", rec)
	}
	fmt.Fprintln(&out, fmt.Errorf("read %v: %w", id, fmt.Errorf("inner %s", id)))
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "id", id, "rec", rec)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "id", id, "rec", rec)
	encoded, err := json.Marshal(map[phi.ID]record{id: rec})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(encoded)

	if strings.Contains(out.String(), canary) || strings.Contains(out.String(), fmt.Sprintf("%x", canary)) {
		t.Errorf("an id was printed:\n%s", out.String())
	}
	if got := id.Reveal(); got != canary {
		t.Errorf("Reveal() = %q, want %q", got, canary)
	}
}

func TestEmpty(t *testing.T) {
	t.Parallel()
	if !(phi.ID{}).Empty() || phi.New("a").Empty() {
		t.Error("Empty must be true of the zero ID alone")
	}
}
