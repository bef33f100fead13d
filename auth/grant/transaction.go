package grant

import (
	"context"
	"errors"
)

// transactionKey is where BeginTX puts a transaction.
type transactionKey struct{}

// transaction gathers the steps of one request on one grant. It belongs to one goroutine.
type transaction struct {
	id    string
	held  *held
	steps []step
	over  bool
}

// transactionOf is the transaction that is open in ctx, or nil.
func transactionOf(ctx context.Context) *transaction {
	t, _ := ctx.Value(transactionKey{}).(*transaction)
	if t == nil || t.over {
		return nil
	}
	return t
}

// add takes a step on the transaction's own copy of the record, so that a handler learns at once
// what does not go, and keeps it for the commit.
func (t *transaction) add(ctx context.Context, s *Storage, id string, do step) error {
	if t.held == nil {
		h, err := s.load(ctx, id)
		if err != nil {
			return err
		}
		t.id, t.held = id, h
	}
	if t.id != id {
		return errors.New("grant: a transaction is about one grant")
	}
	if err := do(t.held.record, s.cfg.Now()); err != nil {
		return err
	}
	t.steps = append(t.steps, do)
	return nil
}

// BeginTX implements storage.Transactional: with the context that it returns, changes of one
// grant wait for Commit.
func (*Storage) BeginTX(ctx context.Context) (context.Context, error) {
	if transactionOf(ctx) != nil {
		return nil, errors.New("grant: transaction within a transaction")
	}
	return context.WithValue(ctx, transactionKey{}, &transaction{}), nil
}

// Commit implements storage.Transactional: all changes in one write. If another has changed the
// grant meanwhile, they are made again on what it has become; a code or refresh token that the
// other has used makes that fosite.ErrInvalidatedAuthorizeCode or fosite.ErrInactiveToken, and
// ends the grant.
func (s *Storage) Commit(ctx context.Context) error {
	t := transactionOf(ctx)
	if t == nil {
		return errors.New("grant: commit without a transaction")
	}
	t.over = true
	if t.held == nil {
		return nil
	}
	return s.punish(ctx, t.id, s.settle(ctx, t.id, t.held, t.steps))
}

// Rollback implements storage.Transactional: nothing was written, so there is nothing to undo.
// After a failed Commit it may be called and does nothing.
func (*Storage) Rollback(ctx context.Context) error {
	if t := transactionOf(ctx); t != nil {
		t.over = true
	}
	return nil
}
