package form

import (
	"time"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	qpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/questionnaire_go_proto"
	qrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/questionnaire_response_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/improvement/readiness"
)

// The id and the canonical of the readiness questionnaire, without its version.
const (
	QuestionnaireID  = "readiness"
	QuestionnaireURL = "https://equitylens.org/fhir/Questionnaire/" + QuestionnaireID
)

// What stands below an item of the questionnaire: a comment, a figure, and what would show that the
// answer holds. Each has the linkId of the item before it.
const (
	partComment  = ".comment"
	partFigure   = ".figure"
	partEvidence = ".evidence"
)

// FigureMissingExtension says why an item from data has no answer, where the answer would stand.
const FigureMissingExtension = r4.Own + "figure-missing"

// translation carries a text in another language
// (http://hl7.org/fhir/R4/extension-translation.html).
const translation = "http://hl7.org/fhir/StructureDefinition/translation"

type (
	itemProto   = qpb.Questionnaire_Item
	optionProto = qpb.Questionnaire_Item_AnswerOption
	replyProto  = qrpb.QuestionnaireResponse_Item
	answerProto = qrpb.QuestionnaireResponse_Item_Answer
	answerValue = qrpb.QuestionnaireResponse_Item_Answer_ValueX
)

// said is a text in English, with what it is in Spanish.
func said(text readiness.Text) *dpb.String {
	out := r4.Text(text.In("en"))
	if other := text[spanish]; other != "" && out != nil {
		out.Extension = []*dpb.Extension{translated(other)}
	}
	return out
}

func translated(text string) *dpb.Extension {
	return r4.Complex(translation, r4.CodeExtension("lang", spanish), r4.TextExtension("content",
		text))
}

// Questionnaire writes what an institution is asked: a group for each domain, in it a choice for
// each item, below that a comment. An item that figures answer is read only.
func Questionnaire(q *readiness.Questionnaire) *qpb.Questionnaire {
	out := &qpb.Questionnaire{
		Id: &dpb.Id{Value: QuestionnaireID}, Url: r4.URI(QuestionnaireURL), Version: r4.Text(q.Version),
		Name: r4.Text("EquityReadiness"), Title: said(q.Title),
		Status:      &qpb.Questionnaire_StatusCode{Value: cpb.PublicationStatusCode_ACTIVE},
		SubjectType: []*qpb.Questionnaire_SubjectTypeCode{{Value: cpb.ResourceTypeCode_ORGANIZATION}},
		Publisher:   r4.Text("EquityLens"),
		Description: r4.Markdown(q.Purpose.In("en")),
	}
	if other := q.Purpose[spanish]; other != "" {
		out.Description.Extension = []*dpb.Extension{translated(other)}
	}
	for _, d := range q.Domains {
		group := &itemProto{
			LinkId: r4.Text(d.ID), Text: said(d.Title), Type: itemType(cpb.QuestionnaireItemTypeCode_GROUP),
		}
		for _, i := range d.Items {
			group.Item = append(group.Item, question(q, i))
		}
		out.Item = append(out.Item, group)
	}
	return out
}

func itemType(of cpb.QuestionnaireItemTypeCode_Value) *qpb.Questionnaire_Item_TypeCode {
	return &qpb.Questionnaire_Item_TypeCode{Value: of}
}

func question(q *readiness.Questionnaire, i readiness.Item) *itemProto {
	out := &itemProto{
		LinkId: r4.Text(i.ID), Text: said(i.Asks), Type: itemType(cpb.QuestionnaireItemTypeCode_CHOICE),
		Item: []*itemProto{{
			LinkId: r4.Text(i.ID + partEvidence), Text: said(i.Evidence),
			Type: itemType(cpb.QuestionnaireItemTypeCode_DISPLAY),
		}},
	}
	for _, level := range readiness.Levels() {
		coding := r4.Coding(SystemLevel, level.Code(), q.Means(i, level, "en"))
		if other := q.Means(i, level, spanish); other != "" && coding.Display != nil {
			coding.Display.Extension = []*dpb.Extension{translated(other)}
		}
		out.AnswerOption = append(out.AnswerOption, &optionProto{
			Value: &qpb.Questionnaire_Item_AnswerOption_ValueX{
				Choice: &qpb.Questionnaire_Item_AnswerOption_ValueX_Coding{Coding: coding},
			},
		})
	}
	if i.FromData() {
		out.ReadOnly = &dpb.Boolean{Value: true}
		out.Item = append(out.Item, &itemProto{
			LinkId: r4.Text(i.ID + partFigure), Text: said(i.Rule.Says),
			Type: itemType(cpb.QuestionnaireItemTypeCode_DECIMAL), ReadOnly: &dpb.Boolean{Value: true},
		})
	}
	out.Item = append(out.Item, &itemProto{
		LinkId: r4.Text(i.ID + partComment),
		Text:   said(readiness.Text{"en": "Comment", spanish: "Comentario"}),
		Type:   itemType(cpb.QuestionnaireItemTypeCode_TEXT),
	})
	return out
}

// ResponseStatus is the status of the QuestionnaireResponse of an assessment. One that was opened
// again after it was final is amended.
func ResponseStatus(a *readiness.Assessment) string {
	switch {
	case a.State != readiness.Final:
		return "in-progress"
	case a.Reopened != "":
		return "amended"
	}
	return "completed"
}

// QuestionnaireResponse writes an assessment. What nobody has answered is left out: it is not the
// lowest level. Comments are free text.
func (w Writer) QuestionnaireResponse(
	q *readiness.Questionnaire, a *readiness.Assessment,
) *qrpb.QuestionnaireResponse {
	status := map[string]cpb.QuestionnaireResponseStatusCode_Value{
		"in-progress": cpb.QuestionnaireResponseStatusCode_IN_PROGRESS,
		"completed":   cpb.QuestionnaireResponseStatusCode_COMPLETED,
		"amended":     cpb.QuestionnaireResponseStatusCode_AMENDED,
	}[ResponseStatus(a)]
	out := &qrpb.QuestionnaireResponse{
		Id: &dpb.Id{Value: a.ID}, Meta: meta(a.Version, a.At),
		Identifier:    &dpb.Identifier{Value: r4.Text(a.Period)},
		Questionnaire: &dpb.Canonical{Value: QuestionnaireURL + "|" + a.Questionnaire},
		Status:        &qrpb.QuestionnaireResponse_StatusCode{Value: status},
		Subject:       w.organization(),
	}
	if !a.At.IsZero() {
		out.Authored = r4.Moment(a.At.Truncate(time.Second))
	}
	for _, d := range q.Domains {
		group := &replyProto{LinkId: r4.Text(d.ID), Text: r4.Text(d.Title.In("en"))}
		for _, i := range d.Items {
			if answer, ok := a.Answers[i.ID]; ok {
				group.Item = append(group.Item, w.reply(i, answer))
			}
		}
		if len(group.Item) > 0 {
			out.Item = append(out.Item, group)
		}
	}
	return out
}

// reply writes the answer to one item. What stands below it stands below its answer, where there is
// one.
func (w Writer) reply(i readiness.Item, a readiness.Answer) *replyProto {
	out := &replyProto{LinkId: r4.Text(i.ID), Text: r4.Text(i.Asks.In("en"))}
	var below []*replyProto
	if a.Figure != nil && a.Figure.Missing == "" {
		below = append(below, &replyProto{
			LinkId: r4.Text(i.ID + partFigure),
			Answer: []*answerProto{{Value: &answerValue{
				Choice: &qrpb.QuestionnaireResponse_Item_Answer_ValueX_Decimal{
					Decimal: r4.Decimal(a.Figure.Value),
				},
			}}},
		})
	}
	if a.Comment != "" {
		below = append(below, &replyProto{
			LinkId: r4.Text(i.ID + partComment),
			Answer: []*answerProto{{Value: &answerValue{
				Choice: &qrpb.QuestionnaireResponse_Item_Answer_ValueX_StringValue{
					StringValue: w.words(a.Comment),
				},
			}}},
		})
	}
	if a.Figure != nil && a.Figure.Missing != "" {
		out.Extension = []*dpb.Extension{
			r4.CodeExtension(FigureMissingExtension, string(a.Figure.Missing)),
		}
	}
	if a.Level == nil {
		out.Item = below
		return out
	}
	out.Answer = []*answerProto{{Item: below, Value: &answerValue{
		Choice: &qrpb.QuestionnaireResponse_Item_Answer_ValueX_Coding{
			Coding: r4.Coding(SystemLevel, a.Level.Code(), display(SystemLevel, a.Level.Code())),
		},
	}}}
	return out
}
