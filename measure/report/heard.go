package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	rpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"
	mrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_report_go_proto"
	opb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/observation_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure"
)

// heardGroup is one group of a report.
type heardGroup struct {
	// id is empty where the report names the group by its place alone.
	id, title   string
	improvement measure.Improvement
	sizes       map[measure.Population]int
	// links are the populations by their link or id, observes what the measure-observations observe.
	links    map[string]measure.Population
	observes map[string]measure.Population
}

// heardResource is an evaluated resource and the populations for which it was.
type heardResource struct {
	kind, id string
	links    []string
}

// heardObservation is a number that a unit added, under the link of what it observes.
type heardObservation struct {
	link  string
	focus string
	value float64
}

func (s *subject) readGroup(i int, g *groupProto) heardGroup {
	heard := heardGroup{
		id:          linkOf(g.Extension, g.GetId(), "extension-MeasureReport.group.linkId"),
		title:       g.GetCode().GetText().GetValue(),
		improvement: directionOf(named(g.Extension, directionNames()...).GetValue().GetCodeableConcept()),
		sizes:       map[measure.Population]int{},
		links:       map[string]measure.Population{},
		observes:    map[string]measure.Population{},
	}
	for j, p := range g.Population {
		path := groupPath(i, ".population[%d]", j)
		link := linkOf(p.Extension, p.GetId(), "extension-MeasureReport.group.population.linkId")
		code := populationCode(p, link)
		if code == observationCode {
			continue
		}
		population := measure.Population(code)
		if !slices.Contains(populations(), population) {
			s.fault(path+".code", "it is no measure-population")
			continue
		}
		_, twice := heard.sizes[population]
		if population == measure.InitialPopulation &&
			(twice || strings.HasSuffix(link, string(measure.NumeratorInitial))) {
			population = measure.NumeratorInitial
			_, twice = heard.sizes[population]
		}
		if twice {
			s.fault(path, "the group has this population already")
		}
		heard.sizes[population] = s.readSize(path, p)
		if link != "" {
			heard.links[link] = population
		}
	}
	for _, p := range g.Population {
		link := linkOf(p.Extension, p.GetId(), "extension-MeasureReport.group.population.linkId")
		if populationCode(p, link) == observationCode {
			of := named(p.Extension, criteriaNames()...).GetValue().GetStringValue().GetValue()
			heard.observes[link] = heard.links[of]
		}
	}
	return heard
}

func linkOf(extensions []*dpb.Extension, id *dpb.String, name string) string {
	if link := named(extensions, name).GetValue().GetStringValue().GetValue(); link != "" {
		return link
	}
	return id.GetValue()
}

// populationCode is the code of a population; its link where it has no code, as some engines do.
func populationCode(p *mrpb.MeasureReport_Group_Population, link string) string {
	for _, coding := range p.GetCode().GetCoding() {
		if code := coding.GetCode().GetValue(); code != "" {
			return code
		}
	}
	return link
}

// readSize takes a count, or the quantity that stands for it.
func (s *subject) readSize(path string, p *mrpb.MeasureReport_Group_Population) int {
	size := float64(p.GetCount().GetValue())
	if quantity := named(p.Extension, "measurereport-countQuantity"); quantity != nil {
		q := quantity.GetValue().GetQuantity()
		v, err := strconv.ParseFloat(q.GetValue().GetValue(), 64)
		if err != nil || q.GetComparator() != nil || p.Count != nil {
			s.fault(path, "one of count and countQuantity is wanted, with a number")
			return 0
		}
		size = v
	} else if p.Count == nil || r4.HasNoValue(p.Count.GetExtension()) {
		s.fault(path+".count", "there is none")
		return 0
	}
	switch {
	case size < 0 || size != math.Trunc(size):
		s.fault(path+".count", "it is no number of members")
	case size > maxUnits:
		s.fault(path+".count", fmt.Sprintf("more than %d units of one patient", maxUnits))
	default:
		return int(size)
	}
	return 0
}

// readResources takes the evaluated resources that say for which population they were, and the
// contained Observations of what measures observe.
func (s *subject) readResources() {
	contained := map[string]*opb.Observation{}
	var order []string
	for _, packed := range s.report.Contained {
		resource := &rpb.ContainedResource{}
		if packed.UnmarshalTo(resource) == nil && resource.GetObservation() != nil {
			id := resource.GetObservation().GetId().GetValue()
			contained[id] = resource.GetObservation()
			order = append(order, id)
		}
	}
	links := map[string]string{}
	for _, reference := range s.report.EvaluatedResource {
		var of []string
		for _, e := range reference.Extension {
			if named([]*dpb.Extension{e}, criteriaNames()...) != nil {
				of = append(of, e.GetValue().GetStringValue().GetValue())
			}
		}
		target := r4.Target(reference)
		if id, ok := strings.CutPrefix(target, "#"); ok {
			if len(of) > 0 {
				links[id] = of[0]
			}
			continue
		}
		if kind, id := resolve(target, s.patients); id != "" {
			s.resources = append(s.resources, heardResource{kind, id, of})
		}
	}
	for _, id := range order {
		s.readObservation(contained[id], links[id])
	}
}

func (s *subject) readObservation(o *opb.Observation, link string) {
	if info := named(o.Extension, "cqf-measureInfo"); info != nil && link == "" {
		link = named(info.Extension, "populationId").GetValue().GetStringValue().GetValue()
	}
	if link == "" {
		return // A supplemental datum, or what we do not know.
	}
	heard := heardObservation{link: link}
	if len(o.Focus) > 0 {
		_, heard.focus = resolve(r4.Target(o.Focus[0]), s.patients)
	}
	switch {
	case o.GetValue().GetInteger() != nil:
		heard.value = float64(o.GetValue().GetInteger().GetValue())
	case o.GetValue().GetQuantity().GetValue() != nil:
		v, err := strconv.ParseFloat(o.GetValue().GetQuantity().GetValue().GetValue(), 64)
		if err != nil {
			s.fault("MeasureReport.contained", "an observation is no number")
			return
		}
		heard.value = v
	default:
		return
	}
	s.observations = append(s.observations, heard)
}
