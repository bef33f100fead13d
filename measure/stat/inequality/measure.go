package inequality

// Measure is the abbreviation of a summary measure, as HEAT writes it.
type Measure string

// The measures, simple ones first. U stands for unweighted, every group counting alike, and W for
// weighted by population share.
const (
	D     Measure = "D"     // Difference between two groups.
	R     Measure = "R"     // Ratio of two groups.
	ACI   Measure = "ACI"   // Absolute concentration index.
	RCI   Measure = "RCI"   // Relative concentration index, ACI/μ.
	SII   Measure = "SII"   // Slope index of inequality.
	RII   Measure = "RII"   // Relative index of inequality.
	BGV   Measure = "BGV"   // Between-group variance; its unit is squared.
	BGSD  Measure = "BGSD"  // Between-group standard deviation.
	COV   Measure = "COV"   // Coefficient of variation, percent.
	MDMU  Measure = "MDMU"  // Mean difference from the mean.
	MDMW  Measure = "MDMW"  // The same, weighted.
	MDBU  Measure = "MDBU"  // Mean difference from the best group.
	MDBW  Measure = "MDBW"  // The same, weighted.
	MDRU  Measure = "MDRU"  // Mean difference from the reference group.
	MDRW  Measure = "MDRW"  // The same, weighted.
	IDISU Measure = "IDISU" // Index of disparity, percent.
	IDISW Measure = "IDISW" // The same, weighted.
	TI    Measure = "TI"    // Theil index.
	MLD   Measure = "MLD"   // Mean log deviation.
	PAR   Measure = "PAR"   // Population attributable risk.
	PAF   Measure = "PAF"   // Population attributable fraction, percent.
)

// Variant names the form in which a measure was computed; the package comment tells them apart.
type Variant string

// HEAT is what healthequal answers. The others exist for some measures only.
const (
	HEAT     Variant = "heat"
	Standard Variant = "standard"
	Linear   Variant = "linear"
	Scaled   Variant = "scaled"
	Natural  Variant = "natural"
	HDCalc   Variant = "hdcalc"
	MaxMin   Variant = "max-min"
)

// Measures lists the 21 in the order in which a table shows them.
func Measures() []Measure {
	return []Measure{
		D, R, ACI, RCI, SII, RII, BGV, BGSD, COV, MDMU, MDMW, MDBU, MDBW, MDRU, MDRW, IDISU, IDISW, TI,
		MLD, PAR, PAF,
	}
}

// Null is the value of the measure where all groups are equal: 1 for R and RII, 0 for all others
// and for RII as HD*Calc defines it.
func (m Measure) Null(v Variant) float64 {
	if m == R || (m == RII && v != HDCalc) {
		return 1
	}
	return 0
}

// Recommended is the variant we would show where only one has room: HEAT's own, except where that
// has a fault the package comment names or, for RCI, is not what the toolkit displays.
func (m Measure) Recommended() Variant {
	switch m {
	case SII, RII:
		return Standard
	case RCI, MLD, TI, PAF:
		return Scaled
	default:
		return HEAT
	}
}

// Title is the name of the measure in words.
func (m Measure) Title() string {
	switch m {
	case D:
		return "difference"
	case R:
		return "ratio"
	case ACI:
		return "absolute concentration index"
	case RCI:
		return "relative concentration index"
	case SII:
		return "slope index of inequality"
	case RII:
		return "relative index of inequality"
	case BGV:
		return "between-group variance"
	case BGSD:
		return "between-group standard deviation"
	case COV:
		return "coefficient of variation"
	case MDMU:
		return "mean difference from the mean, unweighted"
	case MDMW:
		return "mean difference from the mean, weighted"
	case MDBU:
		return "mean difference from the best group, unweighted"
	case MDBW:
		return "mean difference from the best group, weighted"
	case MDRU:
		return "mean difference from the reference group, unweighted"
	case MDRW:
		return "mean difference from the reference group, weighted"
	case IDISU:
		return "index of disparity, unweighted"
	case IDISW:
		return "index of disparity, weighted"
	case TI:
		return "Theil index"
	case MLD:
		return "mean log deviation"
	case PAR:
		return "population attributable risk"
	case PAF:
		return "population attributable fraction"
	}
	return string(m)
}

// ordered reports whether the measure needs groups in an order of advantage.
func (m Measure) ordered() bool {
	return m == ACI || m == RCI || m == SII || m == RII
}

// either reports whether the measure suits dimensions with and without order.
func (m Measure) either() bool {
	return m == D || m == R || m == PAR || m == PAF
}

// weighted reports whether the measure uses a population share, if only in the mean.
func (m Measure) weighted() bool {
	switch m {
	case D, R, MDBU, MDRU:
		return false
	default:
		return true
	}
}
