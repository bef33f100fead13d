package stat

// Parts divides the crude difference between a group and its reference into two that add up to it.
type Parts struct {
	// Crude is the difference over everybody.
	Crude float64
	// Within is what comes of different rates in the same layer: Σ(r1−r2)·(c1+c2)/2, with r a rate and
	// c the share of the people who are in the layer.
	Within float64
	// Between is what comes of being in different layers: Σ(c1−c2)·((r1+r2)/2 − m), with m the mean of
	// the two crude rates. Shares sum to 1, so m changes only how Between is spread over Layers: a
	// layer adds to it where the group is there more often and rates are above the mean, or less often
	// and below.
	Between float64
	// Layers holds the two parts of each layer, in the order given.
	Layers []Part
}

// Part is what one layer contributes.
type Part struct {
	Within, Between float64
}

// Decompose divides the difference between a group and its reference by layers such as sites, after
// Kitagawa EM, J Am Stat Assoc 1955;50:1168: rates at the average composition, and composition at
// the average rates, without a remainder. A layer that holds only one of the two has a rate for one
// alone; the other is taken to have the same one there, so that such a layer is composition
// altogether. It is arithmetic and claims no cause. ok is false where the group or the reference is
// nowhere.
func Decompose(layers []Layer) (p Parts, ok bool) {
	all := pooled(layers)
	if !all.compared() {
		return Parts{}, false
	}
	p.Crude = all.Group.Value() - all.Reference.Value()
	mean := (all.Group.Value() + all.Reference.Value()) / 2
	p.Layers = make([]Part, len(layers))
	for i, l := range layers {
		r1, r2 := l.Group.Value(), l.Reference.Value()
		switch {
		case l.Group.Of <= 0 && l.Reference.Of <= 0:
			continue
		case l.Group.Of <= 0:
			r1 = r2
		case l.Reference.Of <= 0:
			r2 = r1
		}
		c1, c2 := l.Group.Of/all.Group.Of, l.Reference.Of/all.Reference.Of
		p.Layers[i] = Part{
			Within:  (r1 - r2) * (c1 + c2) / 2,
			Between: (c1 - c2) * ((r1+r2)/2 - mean),
		}
		p.Within += p.Layers[i].Within
		p.Between += p.Layers[i].Between
	}
	return p, true
}
