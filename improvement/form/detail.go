package form

import (
	"time"

	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	tpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/task_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/improvement/review"
)

// What an input or an output of a Task holds: codes of SystemDetail.
const (
	detailAnswer    = "answer"
	detailFactor    = "factor"
	detailDetection = "detection"
	detailHow       = "how"
	detailOutcome   = "outcome"
	detailSummary   = "summary"
	detailFinding   = "finding"
	detailSnapshot  = "snapshot"
	detailPeriod    = "period"
	detailReview    = "review"
	detailMeasure   = "measure"
	detailRate      = "rate"
	detailDimension = "dimension"
	detailGroup     = "group"
	detailReference = "reference"
	detailSite      = "site"
	detailTarget    = "target"
	detailLooked    = "looked"
	detailClosed    = "closed"
)

func details() []review.Concept {
	return []review.Concept{
		term(detailAnswer, "Answer", "Respuesta", "Whether inequity contributed.",
			"Si la inequidad contribuyó."),
		term(detailFactor, "Factor", "Factor", "In which way it contributed.",
			"De qué forma contribuyó."),
		term(detailDetection, "Detection", "Detección", "How the event came to be known.",
			"Cómo se conoció el evento."),
		term(detailHow, "How it was settled", "Cómo se resolvió", "In which way the review was settled.",
			"De qué forma se resolvió la revisión."),
		term(detailOutcome, "Outcome", "Resultado", "What came of the action.",
			"Qué resultó de la acción."),
		term(detailSummary, "Summary", "Resumen", "What came of it, in words.",
			"Qué resultó, en palabras."),
		term(detailFinding, "Finding", "Hallazgo", "What is answered.", "A qué se responde."),
		term(detailSnapshot, "Snapshot", "Instantánea", "The snapshot that was looked at.",
			"La instantánea que se miró."),
		term(detailPeriod, "Period", "Período", "The period in which it was found.",
			"El período en el que se halló."),
		term(detailReview, "Reviewed event", "Evento revisado", "An event of the cluster.",
			"Un evento del conjunto."),
		term(detailMeasure, "Measure", "Medida", "The measure that should move.",
			"La medida que debería cambiar."),
		term(detailRate, "Rate", "Tasa", "The rate of the measure; without it the first one.",
			"La tasa de la medida; sin ella, la primera."),
		term(detailDimension, "Dimension", "Dimensión", "That by which groups are told apart.",
			"Aquello por lo que se distinguen los grupos."),
		term(detailGroup, "Group", "Grupo", "A group that should move, by its code.",
			"Un grupo que debería cambiar, por su código."),
		term(detailReference, "Reference", "Referencia",
			"The group that it is held against, by its code, or best, "+
				"largest or overall.", "El grupo con el que se compara, por su código, o best, largest u "+
				"overall."),
		term(detailSite, "Site", "Centro", "A site to which it is limited.",
			"Un centro al que se limita."),
		term(detailTarget, "Target", "Meta", "The score that is aimed at, in the unit of the measure.",
			"La puntuación que se busca, en la unidad de la medida."),
		term(detailLooked, "Looked at", "Mirada", "When somebody last looked at the figures.",
			"Cuándo miró alguien las cifras por última vez."),
		term(detailClosed, "Closed", "Cierre", "When it was closed.", "Cuándo se cerró."),
	}
}

type (
	inputProto  = tpb.Task_Parameter
	inputValue  = tpb.Task_Parameter_ValueX
	outputProto = tpb.Task_Output
	outputValue = tpb.Task_Output_ValueX
)

// inputs gathers the inputs of a Task. What is empty is left out.
type inputs []*inputProto

func (in *inputs) add(code string, value *inputValue) {
	*in = append(*in, &inputProto{Type: own(SystemDetail, code), Value: value})
}

func (in *inputs) text(code, value string) {
	if value != "" {
		in.add(code,
			&inputValue{Choice: &tpb.Task_Parameter_ValueX_StringValue{StringValue: r4.Text(value)}})
	}
}

func (in *inputs) concept(code string, value *dpb.CodeableConcept) {
	in.add(code,
		&inputValue{Choice: &tpb.Task_Parameter_ValueX_CodeableConcept{CodeableConcept: value}})
}

func (in *inputs) reference(code string, value *dpb.Reference) {
	in.add(code, &inputValue{Choice: &tpb.Task_Parameter_ValueX_Reference{Reference: value}})
}

func (in *inputs) decimal(code string, value float64) {
	in.add(code, &inputValue{Choice: &tpb.Task_Parameter_ValueX_Decimal{Decimal: r4.Decimal(value)}})
}

func (in *inputs) moment(code string, value time.Time) {
	in.add(code, &inputValue{Choice: &tpb.Task_Parameter_ValueX_DateTime{DateTime: r4.Moment(value)}})
}

// outputs gathers the outputs of a Task. What is empty is left out.
type outputs []*outputProto

func (out *outputs) add(code string, value *outputValue) {
	*out = append(*out, &outputProto{Type: own(SystemDetail, code), Value: value})
}

func (out *outputs) concept(code, system, value string) {
	if value != "" {
		out.add(code, &outputValue{Choice: &tpb.Task_Output_ValueX_CodeableConcept{
			CodeableConcept: own(system, value),
		}})
	}
}

func (out *outputs) text(code string, value *dpb.String) {
	if value != nil {
		out.add(code, &outputValue{Choice: &tpb.Task_Output_ValueX_StringValue{StringValue: value}})
	}
}

func (out *outputs) moment(code string, value time.Time) {
	if !value.IsZero() {
		out.add(code, &outputValue{Choice: &tpb.Task_Output_ValueX_DateTime{DateTime: r4.Moment(value)}})
	}
}

// detailOf is the code of SystemDetail in the type of an input or output; empty where it has none.
func detailOf(kind *dpb.CodeableConcept) string { return codeIn(kind, SystemDetail) }

// codeIn is the first code of a system in a concept; empty where there is none.
func codeIn(c *dpb.CodeableConcept, system string) string {
	for _, coding := range c.GetCoding() {
		if coding.GetSystem().GetValue() == system {
			return coding.GetCode().GetValue()
		}
	}
	return ""
}
