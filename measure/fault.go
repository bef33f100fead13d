package measure

import "errors"

// The answers to a question that cannot be evaluated. Whoever returns one wraps it with the name
// that was asked for; whoever serves it tells them apart by errors.Is.
var (
	// ErrUnknownMeasure says that no definition has the id that was asked for.
	ErrUnknownMeasure = errors.New("unknown measure")
	// ErrUnknownDimension says that a dimension, or a part of a cross, is not one that the unit of the
	// measure has.
	ErrUnknownDimension = errors.New("unknown dimension")
	// ErrNoSnapshot says that no snapshot has been published yet, so that there is nothing to
	// evaluate. It is not a result of zero.
	ErrNoSnapshot = errors.New("no snapshot is published")
	// ErrOverlapping says that the strata asked for overlap, so that what was asked of them would be
	// wrong: a cross of one recorded set with itself, or a statistic that takes strata to be exclusive.
	ErrOverlapping = errors.New("overlapping strata")
	// ErrUnknownFilter says that a filter names nothing that units can be filtered by, or a value that
	// it cannot have.
	ErrUnknownFilter = errors.New("unknown filter")
	// ErrNotImported says that an imported measure has no members for the period that was asked for.
	ErrNotImported = errors.New("not imported")
	// ErrUnknownPatient says that the snapshot holds no patient with the id that was asked for. The id
	// is not repeated.
	ErrUnknownPatient = errors.New("unknown patient")
)
