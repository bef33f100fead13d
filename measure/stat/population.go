package stat

// Band is an age band of a standard population: from From years up to the next band's From; the
// last is open.
type Band struct {
	From   int
	People float64
}

// USStandard2000 is the standard million of the population of the United States projected for 2000,
// in the 19 bands that cancer registries and mortality statistics use. Anderson RN, Rosenberg HM,
// National Vital Statistics Reports 1998;47(3).
func USStandard2000() []Band {
	return []Band{
		{0, 13818}, {1, 55317}, {5, 72533}, {10, 73032}, {15, 72169}, {20, 66478}, {25, 64529},
		{30, 71044}, {35, 80762}, {40, 81851}, {45, 72118}, {50, 62716}, {55, 48454}, {60, 38793},
		{65, 34264}, {70, 31773}, {75, 26999}, {80, 17842}, {85, 15508},
	}
}

// USStandard2000Broad is the same population, in thousands, in the six bands of this program: under
// 18, 18-44, 45-64, 65-74, 75-84 and 85 or more. The 19 bands cannot be added up to them, because
// 15-19 straddles 18. Klein RJ, Schoenborn CA, Healthy People Statistical Notes 2001;20.
func USStandard2000Broad() []Band {
	return []Band{{0, 70782}, {18, 108151}, {45, 60991}, {65, 18136}, {75, 12315}, {85, 4259}}
}
