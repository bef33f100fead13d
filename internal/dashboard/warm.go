package dashboard

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/server/words"
)

// Warm makes the first page of the live snapshot ready in every language, so that nobody waits for it. It
// is made for those who see the figures of small groups: for others it may be a release, which is made
// when somebody asks for one. Nobody has seen it, so that nothing is in the audit trail.
func (d *Dashboard) Warm(ctx context.Context) error {
	asPage := func(r *http.Request, _ *visit, s *sheet) (*written, error) { return writePage(r, s) }
	var made []rights
	for _, r := range role.All() {
		may := rightsOf([]role.Role{r})
		if !may.Figures || !may.Small || slices.Contains(made, may) {
			continue
		}
		made = append(made, may)
		for _, tag := range words.Languages() {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, OverviewPath, http.NoBody)
			if err != nil {
				return fmt.Errorf("warm the first page: %w", err)
			}
			r.Header.Set("Accept-Language", tag.String())
			if _, err := d.answer(d.overview(), asPage, r, may); err != nil {
				return fmt.Errorf("warm the first page: %w", err)
			}
		}
	}
	return nil
}
