package population

// The planted inequities, as probabilities and rates. doc.go shows them as a table; what a given
// population realises is in Planted.

func raceMissing(site int8) float64 {
	if site == hillcrest {
		return 0.24
	}
	return 0.05
}

func ethnicityMissing(site int8) float64 {
	if site == riverside {
		return 0.22
	}
	return 0.06
}

func languageMissing(r race) float64 {
	switch r {
	case asian:
		return 0.20
	case black:
		return 0.07
	default:
		return 0.05
	}
}

func needMissing(g group) float64 {
	switch g {
	case english:
		return 0.10
	case otherLanguage:
		return 0.30
	default:
		return 0.12
	}
}

// needOf is the share that needs an interpreter.
func needOf(g group) float64 {
	switch g {
	case english:
		return 0.004
	case spanish:
		return 0.62
	case chinese:
		return 0.65
	case otherLanguage:
		return 0.50
	default:
		return 0.97
	}
}

// interpreted is the chance that an interpreter is documented for one who needs one.
func interpreted(g group) float64 {
	switch g {
	case spanish:
		return 0.62
	case chinese:
		return 0.50
	case otherLanguage:
		return 0.36
	case sign:
		return 0.75
	default:
		return 0.50
	}
}

// telehealth is the share of ambulatory visits held remotely.
func telehealth(g group, age int) float64 {
	share := 0.28
	if g != english {
		share = 0.14
	}
	if age >= 75 {
		share *= 0.55
	}
	return share
}

func unseen(r race) float64 {
	if r == black {
		return 0.068
	}
	return 0.03
}

func overEightHours(hispanic bool) float64 {
	if hispanic {
		return 0.24
	}
	return 0.15
}

func boarded(need bool) float64 {
	if need {
		return 0.48
	}
	return 0.28
}

func readmitted(r race) float64 {
	if r == black {
		return 0.22
	}
	return 0.13
}

// lengthMedian is the median length of an inpatient stay, in days.
func lengthMedian(g group) float64 {
	if g == english {
		return 3.9
	}
	return 5.1
}

// harmRate is actual events per patient-day of a stay.
func harmRate(g group) float64 {
	switch g {
	case english:
		return 0.022
	case spanish:
		return 0.048
	default:
		return 0.036
	}
}

// potentialShare is the share of all reported events that are near misses.
func potentialShare(g group) float64 {
	if g == english {
		return 0.42
	}
	return 0.18
}

func factorAnswered(site int8) float64 {
	if site == hillcrest {
		return 0.25
	}
	return 0.60
}

func factorYes(r race) float64 {
	if r == black {
		return 0.55
	}
	return 0.22
}
