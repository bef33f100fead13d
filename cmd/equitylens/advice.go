package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/equitylens/equitylens/store/facts"
)

// explainSync adds to an error what the operator can do about it.
func explainSync(err error) error {
	var shrunk *facts.ShrunkError
	switch {
	case errors.As(err, &shrunk):
		return fmt.Errorf("%w; nothing was published. If this is another population give it its own --data; "+
			"if the loss is real, repeat with --allow-shrink", err)
	case errors.Is(err, facts.ErrLocked):
		return fmt.Errorf("%w; wait for it, or see which process holds it with: fuser DIR/LOCK", err)
	}
	return err
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// ensureFolder makes the folder of a file that only its owner may read.
func ensureFolder(path string) (string, error) {
	const ownerOnly = 0o700
	if err := os.MkdirAll(filepath.Dir(path), ownerOnly); err != nil {
		return "", fmt.Errorf("make folder of keys: %w", err)
	}
	return path, nil
}
