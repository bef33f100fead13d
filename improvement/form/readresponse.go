package form

import (
	"fmt"
	"slices"
	"strings"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	qrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/questionnaire_response_go_proto"

	"github.com/equitylens/equitylens/improvement/readiness"
)

// Replies is what a QuestionnaireResponse changes of an assessment.
type Replies struct {
	// Changed are the replies to the items that are answered otherwise than they stand.
	Changed []readiness.Reply
	// Finish says that the assessment is to become final.
	Finish bool
}

// ReadQuestionnaireResponse reads the answers in a QuestionnaireResponse that was sent to take the
// place of that of an assessment as it stands. An item that is not there takes its answer back. The
// answers to items from data must be those that stand; their figures are not read, because those of a
// draft move on between a read and a write.
func ReadQuestionnaireResponse(
	text []byte, q *readiness.Questionnaire, stands *readiness.Assessment,
) (Replies, error) {
	resource, err := parse(text)
	if err != nil {
		return Replies{}, err
	}
	sent := resource.GetQuestionnaireResponse()
	if sent == nil {
		return Replies{}, otherType("QuestionnaireResponse")
	}
	if sent.GetId().GetValue() != stands.ID {
		return Replies{}, invalid("QuestionnaireResponse.id", "it must be that of the address")
	}
	canonical, version, _ := strings.Cut(sent.GetQuestionnaire().GetValue(), "|")
	if canonical != QuestionnaireURL || version != "" && version != stands.Questionnaire {
		return Replies{}, invalid("QuestionnaireResponse.questionnaire",
			"it must be "+QuestionnaireURL+"|"+stands.Questionnaire)
	}
	read := replyReader{q: q, stands: stands, said: map[string]readiness.Reply{}}
	for i, group := range sent.GetItem() {
		if err := read.group(fmt.Sprintf("QuestionnaireResponse.item[%d]", i), group); err != nil {
			return Replies{}, err
		}
	}
	out := Replies{Changed: read.changed()}
	switch sent.GetStatus().GetValue() {
	case cpb.QuestionnaireResponseStatusCode_COMPLETED, cpb.QuestionnaireResponseStatusCode_AMENDED:
		out.Finish = stands.State != readiness.Final
	case cpb.QuestionnaireResponseStatusCode_IN_PROGRESS:
		if stands.State == readiness.Final {
			return Replies{}, invalid("QuestionnaireResponse.status",
				"a final assessment is opened again with a reason, which is not taken here")
		}
	default:
		return Replies{}, invalid("QuestionnaireResponse.status", "it must be in-progress or completed")
	}
	return out, nothingElse(sent, q, stands, read.said)
}

// replyReader gathers what is said to each item.
type replyReader struct {
	q      *readiness.Questionnaire
	stands *readiness.Assessment
	said   map[string]readiness.Reply
}

func (r *replyReader) group(path string, group *replyProto) error {
	known := slices.ContainsFunc(r.q.Domains, func(d readiness.Domain) bool {
		return d.ID == group.GetLinkId().GetValue()
	})
	if !known {
		return invalid(path+".linkId", "the questionnaire has no such group")
	}
	for i, one := range group.GetItem() {
		at := fmt.Sprintf("%s.item[%d]", path, i)
		if err := r.item(at, group.GetLinkId().GetValue(), one); err != nil {
			return err
		}
	}
	return nil
}

func (r *replyReader) item(path, domain string, one *replyProto) error {
	id := one.GetLinkId().GetValue()
	item, of, ok := r.q.Item(id)
	switch _, twice := r.said[id]; {
	case !ok || of.ID != domain:
		return invalid(path+".linkId", "the group has no such item")
	case twice:
		return invalid(path+".linkId", "the item is there twice")
	case len(one.GetAnswer()) > 1:
		return invalid(path+".answer", "an item has one answer")
	}
	reply := readiness.Reply{Item: id}
	below := one.GetItem()
	for _, answer := range one.GetAnswer() {
		coding := answer.GetValue().GetCoding()
		level, err := readiness.ParseLevel(coding.GetCode().GetValue())
		if err != nil || coding.GetSystem().GetValue() != SystemLevel {
			return invalid(path+".answer[0].valueCoding", "it must be a code of "+SystemLevel)
		}
		reply.Level = &level
		below = append(slices.Clone(below), answer.GetItem()...)
	}
	for _, part := range below {
		switch part.GetLinkId().GetValue() {
		case id + partComment:
			reply.Comment = comment(part)
		case id + partFigure:
		default:
			return invalid(path+".item", "below an item stand its comment and its figure")
		}
	}
	if item.FromData() {
		if reply.Level != nil && !equalLevels(reply.Level, r.stands.Answers[id].Level) {
			return invalid(path+".answer", "the data answer this item")
		}
		reply.Level = nil
	}
	r.said[id] = reply
	return nil
}

func comment(part *replyProto) string {
	for _, answer := range part.GetAnswer() {
		return plainText(answer.GetValue().GetStringValue())
	}
	return ""
}

// changed are the replies that differ from what stands, in the order of the items.
func (r *replyReader) changed() []readiness.Reply {
	var out []readiness.Reply
	for _, item := range r.q.Items() {
		reply, stands := r.said[item.ID], r.stands.Answers[item.ID]
		reply.Item = item.ID
		if item.FromData() {
			stands.Level = nil
		}
		if reply.Comment != stands.Comment || !equalLevels(reply.Level, stands.Level) {
			out = append(out, reply)
		}
	}
	return out
}

func equalLevels(a, b *readiness.Level) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

// nothingElse refuses a response that says anything that the assessment would not, with these
// replies.
func nothingElse(
	sent *qrpb.QuestionnaireResponse, q *readiness.Questionnaire, stands *readiness.Assessment,
	said map[string]readiness.Reply,
) error {
	after := *stands
	after.Answers = map[string]readiness.Answer{}
	for id, reply := range said {
		answer := stands.Answers[id]
		answer.Item, answer.Comment = id, reply.Comment
		if item, _, _ := q.Item(id); !item.FromData() {
			answer.Level = reply.Level
		}
		after.Answers[id] = answer
	}
	again, err := tree(Writer{Narrative: true}.QuestionnaireResponse(q, &after))
	if err != nil {
		return err
	}
	sentTree, err := tree(sent)
	if err != nil {
		return err
	}
	figuresAside(again)
	figuresAside(sentTree)
	ours := []string{"meta", "authored", "status", "subject", "questionnaire"}
	if at := beyond("QuestionnaireResponse", sentTree, again, ours...); at != "" {
		return invalid(at, "an assessment has nothing of the kind, or it is not to be changed")
	}
	return nil
}

// figuresAside levels the figures of items from data in the tree of a response: the age of the data is
// another one whenever somebody asks.
func figuresAside(in any) {
	switch in := in.(type) {
	case []any:
		for _, one := range in {
			figuresAside(one)
		}
	case map[string]any:
		if _, figure := in["valueDecimal"]; figure {
			in["valueDecimal"] = 0.0
		}
		for _, one := range in {
			figuresAside(one)
		}
	}
}
