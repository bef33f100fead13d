package network

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/disclose"
	"github.com/equitylens/equitylens/store/decisions"
)

// stored is the body of the document of a submission: what was handed in, as it was signed.
type stored struct {
	Format   int       `json:"format"`
	Received time.Time `json:"received"`
	Digest   string    `json:"digest"`
	Signed   string    `json:"signed"`
}

const storedFormat = 1

// Accept takes in a signed submission of the member whose program a client is. It fails with
// ErrNoMember, a *RefusedError or ErrStale, and then nothing is kept. The same bytes again change
// nothing; other bytes for the same period become its next version, and the ones before stay in its
// history.
func (d *Desk) Accept(ctx context.Context, client string, signed []byte) (Receipt, error) {
	member, err := d.memberOf(client)
	if err != nil {
		return Receipt{}, err
	}
	receipt, err := d.accept(ctx, member, client, signed)
	if err != nil {
		reason := "internal"
		if errors.Is(err, ErrRefused) {
			reason = "refused"
		}
		d.cfg.Logger.WarnContext(ctx, "a submission was not taken in",
			slog.String("member", member.ID), slog.String("reason", reason))
		return Receipt{}, err
	}
	d.cfg.Logger.InfoContext(ctx, "a submission was taken in", slog.String("member", member.ID),
		slog.String("period", receipt.Period), slog.Int("version", receipt.Version),
		slog.Bool("new", receipt.New))
	return receipt, nil
}

func (d *Desk) accept(
	ctx context.Context, member Member, client string, signed []byte,
) (Receipt, error) {
	payload, err := Verify(ctx, signed, client, d.cfg.Keys)
	if err != nil {
		return Receipt{}, err
	}
	s, err := d.checker.Check(payload, member.ID)
	if err != nil {
		return Receipt{}, err
	}
	d.taking.Lock()
	defer d.taking.Unlock()
	digest := digestOf(payload)
	id := IDOf(member.ID, s.Period)
	name, _, err := readiness.Name(s.Period)
	if err != nil {
		return Receipt{}, fmt.Errorf("accept submission: %w", err)
	}
	receipt := Receipt{ID: id, Member: member.ID, Period: name, Digest: digest}
	history, err := d.cfg.Records.History(ctx, decisions.Submission, id)
	if err != nil && !errors.Is(err, decisions.ErrNotFound) {
		return Receipt{}, fmt.Errorf("accept submission: %w", err)
	}
	done, err := d.succeed(history, s, digest)
	if err != nil {
		return Receipt{}, err
	}
	if done {
		last := history[len(history)-1]
		receipt.Version, receipt.At = last.Version, last.At
		return receipt, nil
	}
	if err := d.noOverlap(ctx, member, s.Period); err != nil {
		return Receipt{}, err
	}
	body, err := json.Marshal(stored{
		Format: storedFormat, Received: d.cfg.Now().UTC(), Digest: digest, Signed: string(signed),
	})
	if err != nil {
		return Receipt{}, fmt.Errorf("accept submission: %w", err)
	}
	document := decisions.Document{
		Kind: decisions.Submission, ID: id, At: d.cfg.Now().UTC(), By: client, Body: body,
		Terms: map[string]string{"member": member.ID, "period": name},
	}
	written, err := d.cfg.Records.Write(ctx, decisions.Change{Document: document, Expect: len(history)})
	switch {
	case errors.Is(err, decisions.ErrConflict):
		return Receipt{}, ErrStale
	case err != nil:
		return Receipt{}, fmt.Errorf("accept submission: %w", err)
	}
	receipt.Version, receipt.At, receipt.New = written[0].Version, written[0].At, true
	return receipt, nil
}

func digestOf(payload []byte) string {
	sum := sha256.Sum256(payload)
	return hex.EncodeToString(sum[:])
}

// read reads a submission that was kept.
func (d *Desk) read(document decisions.Document) (Submission, stored, error) {
	var body stored
	if err := json.Unmarshal(document.Body, &body); err != nil || body.Format != storedFormat {
		return Submission{}, body, fmt.Errorf("read submission %s: not of format %d", document.ID, storedFormat)
	}
	payload, err := payloadOf(body.Signed)
	if err != nil {
		return Submission{}, body, fmt.Errorf("read submission %s: %w", document.ID, err)
	}
	s, _, err := d.checker.parse(payload)
	if err != nil {
		return Submission{}, body, fmt.Errorf("read submission %s: %w", document.ID, err)
	}
	return s, body, nil
}

// succeed looks at what was handed in before for the same period. It is done where that is the same;
// it refuses what was there before and was replaced since, a reason that does not fit, and figures that
// differ from those before by a few people.
func (d *Desk) succeed(history []decisions.Document, s Submission, digest string) (done bool, err error) {
	if len(history) == 0 {
		if s.Reason != Initial {
			return false, refused("Bundle.entry[0].resource.reason", "there is no submission before it")
		}
		return false, nil
	}
	before := make([]Submission, len(history))
	for i, document := range history {
		var body stored
		if before[i], body, err = d.read(document); err != nil {
			return false, err
		}
		if body.Digest != digest {
			continue
		}
		if i < len(history)-1 {
			return false, refused("", "it was handed in before, and another one has replaced it")
		}
		return true, nil
	}
	last := before[len(before)-1]
	if s.Reason == Initial {
		return false, refused("Bundle.entry[0].resource.reason",
			"there is a submission for this period; say progress or correction")
	}
	if !s.Created.After(last.Created) {
		return false, refused("Bundle.entry[0].resource.recorded", "it is not newer than the one before")
	}
	var f faults
	for n := range before {
		corrected := s.Reason == Correction || n < len(before)-1
		for i := range s.Reports {
			if was, _ := before[n].rate(s.Reports[i].Measure, ""); was != nil {
				differ(&f, fmt.Sprintf("Bundle.entry[%d].resource", i+1), was, &s.Reports[i], corrected)
			}
		}
	}
	return false, f.err()
}

// differ refuses figures that changed, unless they are a correction; and then those that changed by a
// few people, or of which something comes to light that was hidden, or the other way round.
func differ(f *faults, path string, before, after *Report, corrected bool) {
	changed := false
	compare := func(at string, a, b Figure) {
		pairs := [][2]int64{}
		for p, size := range b.Sizes {
			was := a.Sizes[p]
			switch {
			case was == nil && size == nil:
			case was == nil || size == nil:
				changed = true
				f.add(at, "it is hidden in one submission for this period and shown in another")
			default:
				pairs = append(pairs, [2]int64{*was, *size})
			}
		}
		if m1, e1, ok := a.fraction(); ok {
			if m2, e2, ok := b.fraction(); ok {
				pairs = append(pairs, [2]int64{e1, e2}, [2]int64{e1 - m1, e2 - m2})
			}
		}
		for _, pair := range pairs {
			difference := max(pair[0]-pair[1], pair[1]-pair[0])
			changed = changed || difference != 0
			if disclose.Small(difference) {
				f.add(at, "it differs by a few from the submission before, which would tell of them")
				return
			}
		}
	}
	for i := range after.Rates {
		at := fmt.Sprintf("%s.group[%d]", path, i)
		if i >= len(before.Rates) {
			continue
		}
		compare(at, before.Rates[i].Whole, after.Rates[i].Whole)
		for j, t := range after.Rates[i].Tables {
			old, _ := before.Rates[i].table(t.By)
			for k, row := range t.Rows {
				was, ok := old.row(row.Key)
				if !ok {
					was.Figure = Figure{Sizes: map[measure.Population]*int64{}}
				}
				compare(fmt.Sprintf("%s.stratifier[%d].stratum[%d]", at, j, k), was.Figure, row.Figure)
			}
			if slices.ContainsFunc(rests(&before.Rates[i], &old, &after.Rates[i], &t), disclose.Small) {
				f.add(fmt.Sprintf("%s.stratifier[%d]", at, j), "what it hides differs by a few from the "+
					"submission before, which would tell of them")
			}
		}
	}
	if changed && !corrected && len(*f) == 0 {
		f.add(path, "its figures are not those of the submission before; only a correction changes them")
	}
}

// rests says by how many of each population differs what two tables of a rate do not show of everybody:
// who subtracts the strata that are shown is left with it.
func rests(before *Rate, was *Table, after *Rate, now *Table) []int64 {
	rest := func(r *Rate, t *Table, p measure.Population) (left int64, ok bool) {
		whole := r.Whole.Sizes[p]
		if whole == nil || len(t.Rows) == 0 {
			return 0, false
		}
		left = *whole
		for _, row := range t.Rows {
			if size := row.Sizes[p]; size != nil {
				left -= *size
			}
		}
		return left, true
	}
	var out []int64
	for p := range after.Whole.Sizes {
		a, known := rest(before, was, p)
		if b, ok := rest(after, now, p); ok && known {
			out = append(out, max(a-b, b-a))
		}
	}
	return out
}

// noOverlap refuses a period that shares days with another one of the member: what two of them differ
// by could be a few people.
func (d *Desk) noOverlap(ctx context.Context, member Member, period measure.Period) error {
	found, err := d.cfg.Records.Find(ctx, decisions.Query{
		Kind: decisions.Submission, Terms: map[string][]string{"member": {member.ID}},
	})
	if err != nil {
		return fmt.Errorf("accept submission: %w", err)
	}
	for _, document := range found {
		other, err := measure.ParsePeriod(document.Terms["period"])
		if err != nil {
			return fmt.Errorf("accept submission: %w", err)
		}
		same := other.Start.Equal(period.Start) && other.End.Equal(period.End)
		if !same && !other.End.Before(period.Start) && !period.End.Before(other.Start) {
			return refused("Bundle.entry[0].resource.occurredPeriod",
				"there is a submission for a period that shares days with it")
		}
	}
	return nil
}
