package figure

// Largest says which gap of some findings comes first: of which rate, of which group, and how far it is
// from what it is compared with.
func (t *Teller) Largest(f Finding) string {
	return t.w.Say("overview.largest", f.Title, f.Group, f.Absolute, f.Reference)
}

// Others says how many other groups have a gap in the same rate of which chance is no likely reason; ""
// where none has.
func (t *Teller) Others(others int) string {
	if others < 1 {
		return ""
	}
	return t.w.Say("overview.others", others, t.w.Count(float64(others)))
}

// Affects says how many a gap is, as an estimate and by the nearer end of its interval; "" where that is
// not a number of people, visits or events.
func (t *Teller) Affects(f Finding) string {
	switch {
	case f.Affected == "":
		return ""
	case f.AtLeast == "" || f.Gap.AtLeast < 1:
		return t.w.Say("overview.affects", f.Affected)
	}
	return t.w.Say("overview.affects.least", f.Affected, f.AtLeast)
}

// HowFar is a figure with its interval: "14 fewer in 100 (95 % interval: 9 to 19 fewer)".
func (t *Teller) HowFar(text, interval string) string {
	if text == "" || interval == "" {
		return text
	}
	return t.w.Say("figure.apart", text, t.Ninetyfive(), interval)
}
