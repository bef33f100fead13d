package chart

// Completeness shows of what kinds each whole is made: how much is known, and how much is not, and why.
type Completeness struct {
	Meta
	// Parts name the kinds, at most six of them.
	Parts []string
	Rows  []BarRow
	// Suppressed and NoData stand in place of a bar.
	Suppressed, NoData string
	// Format writes a share in the language of the reader.
	Format func(float64) string
}

// BarRow is one whole. Shares are of 1, in the order of the parts.
type BarRow struct {
	Label, Note, Text string
	Shares            []float64
	State             State
}

func (c Completeness) about() Meta { return c.Meta }

func (c Completeness) compose(s *sheet) { s.empty(c.Meta) }
