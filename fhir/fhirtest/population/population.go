package population

import "time"

// Config says which population to make. Equal configurations make equal bytes.
type Config struct {
	// Patients is how many people there are; 0 means 4000.
	Patients int
	// Seed selects the population.
	Seed uint64
	// From and To are the first and the last day of the years covered; zero means 2024-01-01 and
	// 2025-12-31. Only the calendar date counts.
	From time.Time
	To   time.Time
	// AsOf is the day at whose first minute, in the hospitals' zone, the data ends; zero means 32 days
	// after To, so that nearly every discharge has 30 days of follow-up.
	AsOf time.Time
	// EncountersPerPatient is the mean over the years covered; 0 means 10.
	EncountersPerPatient float64
	// Clean leaves out the mess of real data, for benchmarks.
	Clean bool
	// Improves changes one inequity from a day on; the zero value changes nothing.
	Improves Improvement
}

// Improvement changes how often an interpreter is documented for those who need one and speak none of
// the larger languages. Nothing else of the population changes by it, to the byte.
type Improvement struct {
	// From is the first day of encounters that it touches; zero is none.
	From time.Time
	// Share is the chance from then on; doc.go has the one before.
	Share float64
}

// settings is Config with its defaults, in the generator's units.
type settings struct {
	patients int
	seed     uint64
	from, to day
	horizon  minute
	mean     float64
	clean    bool
	// improved is the day from which better is the share of Improvement.
	improved day
	better   float64
}

// Population is a population as of one moment. It holds no people: each is made again from the seed
// whenever it is asked for. It is immutable and safe for concurrent use.
type Population struct {
	settings settings
}

// Defaults of Config.
const (
	defaultPatients   = 4000
	defaultEncounters = 10
	followUpDays      = 32
)

// New returns the population that c describes.
func New(c Config) *Population {
	s := settings{patients: c.Patients, seed: c.Seed, mean: c.EncountersPerPatient, clean: c.Clean}
	if s.patients <= 0 {
		s.patients = defaultPatients
	}
	if s.mean <= 0 {
		s.mean = defaultEncounters
	}
	s.improved = noDay
	if !c.Improves.From.IsZero() {
		s.improved, s.better = dayOf(c.Improves.From), c.Improves.Share
	}
	s.from, s.to = civilDay(2024, 1, 1), civilDay(2025, 12, 31)
	if !c.From.IsZero() {
		s.from = dayOf(c.From)
	}
	if !c.To.IsZero() {
		s.to = max(dayOf(c.To), s.from)
	}
	s.horizon = (s.to + followUpDays).at(0, 0)
	if !c.AsOf.IsZero() {
		s.horizon = dayOf(c.AsOf).at(0, 0)
	}
	return &Population{settings: s}
}

// AsOf is the moment of the data, which a server gives as its transactionTime.
func (p *Population) AsOf() time.Time { return time.Unix(p.settings.horizon.seconds(), 0).UTC() }

// Patients is how many people the population was made for. Some of them register after AsOf, some
// have no Patient record and some have two.
func (p *Population) Patients() int { return p.settings.patients }

// Next returns the same population as of a later day: some people have come back, some records are
// corrected, some are deleted.
func (p *Population) Next(asOf time.Time) *Population {
	s := p.settings
	s.horizon = max(s.horizon, dayOf(asOf).at(0, 0))
	return &Population{settings: s}
}
