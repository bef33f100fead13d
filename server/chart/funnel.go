package chart

// Funnel shows units by how much they count (X) and what they score (Y), between the limits of chance.
type Funnel struct {
	Meta
	X, Y Axis
	// Centre is the score of all.
	Centre      float64
	CentreLabel string
	// Bands are the limits, the wider first.
	Bands  []Band
	Points []FunnelPoint
	// OutsideLabel and InsideLabel explain the two marks.
	OutsideLabel, InsideLabel string
}

// Band is the limits of one probability.
type Band struct {
	Label string
	// Points are in the order of X.
	Points []BandPoint
}

// BandPoint is a band at one place.
type BandPoint struct{ X, Low, High float64 }

// FunnelPoint is a unit. One that is Outside is named in the picture: by Label where there is room, else
// by Key, a number that the caller's table explains and a list below the picture.
type FunnelPoint struct {
	Label, Key, Text string
	X, Y             float64
	Outside          bool
}

func (c Funnel) about() Meta { return c.Meta }

func (c Funnel) compose(s *sheet) { s.empty(c.Meta) }
