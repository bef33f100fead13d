package stat

// Simpson compares the difference between a group and its reference over everybody with their
// difference within layers. Where the two tell different stories, the layer (the site, the age) and
// not the group is behind a part of what the overall figure shows, or hides a part of it. Which of
// the two matters is no question of statistics: being sent to the worse site is an inequity as
// well.
type Simpson struct {
	// Crude is the difference over everybody, as it is published, layers of one alone included. Within
	// is the Mantel–Haenszel difference over the layers that hold both.
	Crude, Within Estimate
	// Opposite is true where the two have opposite signs, whatever their intervals: a reason to look.
	Opposite bool
	// Reverses is true where they have opposite signs and both intervals leave out 0: the overall
	// figure points the wrong way for people of one layer, and chance is no likely reason.
	Reverses bool
	// Fades is true where Crude is clear of 0 and Within is not: within layers there is no difference
	// to be sure of. It is no proof that there is none.
	Fades bool
	// Layers is how many layers hold both, and Covered the share of the group's units in them: Within
	// says nothing about the rest.
	Layers  int
	Covered float64
}

// SimpsonCheck makes the comparison for proportions: Newcombe's interval for Crude, Sato's for
// Within. ok is false where no layer holds both, or one of the intervals does not exist.
func SimpsonCheck(layers []Layer) (s Simpson, ok bool) {
	return simpson(layers, Newcombe, MantelHaenszelDifference)
}

// SimpsonCheckRate makes it for rates: RateDifference for Crude, MantelHaenszelRateDifference for
// Within.
func SimpsonCheckRate(layers []Layer) (s Simpson, ok bool) {
	return simpson(layers, RateDifference, MantelHaenszelRateDifference)
}

func simpson(
	layers []Layer,
	interval func(x1, n1, x2, n2 float64) (lo, hi float64),
	within func([]Layer) (Estimate, bool),
) (s Simpson, ok bool) {
	if s.Within, ok = within(layers); !ok {
		return Simpson{}, false
	}
	all := pooled(layers)
	s.Crude.Value = all.Group.Value() - all.Reference.Value()
	s.Crude.Lo, s.Crude.Hi = interval(
		all.Group.Events, all.Group.Of, all.Reference.Events, all.Reference.Of)
	for _, l := range layers {
		if l.compared() {
			s.Layers++
			s.Covered += l.Group.Of / all.Group.Of
		}
	}
	s.Opposite = s.Crude.Value*s.Within.Value < 0
	s.Reverses = s.Opposite && s.Crude.Clear() && s.Within.Clear()
	s.Fades = s.Crude.Clear() && !s.Within.Clear()
	return s, true
}
