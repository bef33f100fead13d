package chart

// Sparkline is a figure over time as large as a word, without axis. Its least, greatest and last values
// are marked.
type Sparkline struct {
	Meta
	Values []*float64
	// Last is the last value in words.
	Last string
}

// usualWidth is the width when none is asked for.
func (c Sparkline) usualWidth() float64 { return 140 }

func (c Sparkline) about() Meta { return c.Meta }

func (c Sparkline) compose(s *sheet) { s.empty(c.Meta) }
