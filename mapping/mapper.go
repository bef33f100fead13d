package mapping

import (
	"fmt"
	"strings"
	"time"

	"github.com/equitylens/equitylens/fhir"
)

// Config is what a site adds to the standards.
type Config struct {
	// ConceptMaps translate the site's own codes. None by default.
	ConceptMaps []ConceptMap
	// TelehealthTypes are codings of Encounter.type that mean telehealth. Empty by default: the
	// published lists are licensed.
	TelehealthTypes []TelehealthType
	// Location is where calendar days are read: instants are converted to it, and dateTimes without an
	// offset are placed in it. By default each dateTime keeps the date that it carries.
	Location *time.Location
	// RaceTable replaces the table of CDCREC that is built in. nil keeps that.
	RaceTable *RaceTable
}

// TelehealthType is one coding of Encounter.type that means telehealth.
type TelehealthType struct {
	Coding fhir.Coding
	// Modality is Video, Audio, or "" where the type does not say.
	Modality string
}

// Mapper turns resources into records. It is not changed once made, and may be used by many
// goroutines at once.
type Mapper struct {
	translations    map[fhir.Coding][]fhir.Coding
	telehealthTypes map[fhir.Coding]string
	location        *time.Location
	races           *RaceTable
}

// New makes a Mapper. It refuses ConceptMaps that contradict each other or translate to a coding
// that no element reads, and telehealth types that contradict each other.
func New(c Config) (*Mapper, error) {
	m := &Mapper{location: c.Location, races: c.RaceTable}
	if m.races == nil {
		table, err := ParseRaceTable(strings.NewReader(cdcrec))
		if err != nil {
			return nil, fmt.Errorf("built-in %w", err)
		}
		m.races = table
	}
	if err := m.addTelehealth(c.TelehealthTypes); err != nil {
		return nil, err
	}
	if err := m.addConceptMaps(c.ConceptMaps); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *Mapper) addTelehealth(types []TelehealthType) error {
	m.telehealthTypes = make(map[fhir.Coding]string, len(types))
	for i, t := range types {
		switch t.Modality {
		case Video, Audio, "":
		default:
			return fmt.Errorf("telehealth type %d: modality %q is none of %q, %q and empty",
				i, t.Modality, Video, Audio)
		}
		if t.Coding.Code == "" {
			return fmt.Errorf("telehealth type %d: code is empty", i)
		}
		if before, twice := m.telehealthTypes[t.Coding]; twice && before != t.Modality {
			return fmt.Errorf("telehealth type %d: %s|%s has two modalities",
				i, t.Coding.System, t.Coding.Code)
		}
		m.telehealthTypes[t.Coding] = t.Modality
	}
	return nil
}

// addConceptMaps joins the maps into one index by source coding.
func (m *Mapper) addConceptMaps(maps []ConceptMap) error {
	m.translations = make(map[fhir.Coding][]fhir.Coding)
	origin := make(map[Translation]string)
	for _, cm := range maps {
		for _, t := range cm.Translations {
			if !m.reads(t.Target) {
				return fmt.Errorf("concept map %s: %s: no element reads the target %s|%s",
					cm.Name, t.Place, t.Target.System, t.Target.Code)
			}
			rule := Translation{Source: t.Source, Target: t.Target}
			if _, twice := origin[rule]; twice {
				continue
			}
			for _, other := range m.translations[t.Source] {
				if other.System == t.Target.System {
					return fmt.Errorf("concept map %s: %s: %s|%s goes to %s here and to %s in %s",
						cm.Name, t.Place, t.Source.System, t.Source.Code, t.Target.Code, other.Code,
						origin[Translation{Source: t.Source, Target: other}])
				}
			}
			origin[rule] = cm.Name
			m.translations[t.Source] = append(m.translations[t.Source], t.Target)
		}
	}
	return nil
}

// reads reports whether some element reads the coding c.
func (m *Mapper) reads(c fhir.Coding) bool {
	if held, _ := cdcrecSystem(c.System); held {
		_, ok := m.races.lookup(c.Code)
		return ok
	}
	if nullFlavorSystem(c.System) && c.Code == nullFlavorOther {
		return true
	}
	if s := absence(c); s != "" && s != Unmapped {
		return true
	}
	for _, t := range [...]table{
		languageCode, needCode, translatorCode, arrangementCode, genderCode, classCode, statusCode,
		priorityCode, dispositionCode, actualityCode, categoryCode, severityCode, seriousnessCode,
		outcomeCode, inequityCode,
	} {
		if _, state := t(c); state != "" && state != Unmapped {
			return true
		}
	}
	return false
}
