package readiness

import "slices"

// DomainScore is what the answers of one domain come to. There is no score of all domains: a sum would
// let what is routine hide what has not begun.
type DomainScore struct {
	Domain string `json:"domain"`
	// Items is how many there are, Answered how many of them have a level.
	Items    int `json:"items"`
	Answered int `json:"answered"`
	// Lowest is the lowest level, and Weakest the items that have it, in their order. Both are absent
	// where nothing is answered.
	Lowest  *Level   `json:"lowest,omitempty"`
	Weakest []string `json:"weakest,omitempty"`
	// Median is the median level, of two in the middle the lower one: half a level is none.
	Median *Level `json:"median,omitempty"`
}

// Score scores each domain. What is unanswered is in no median and is no lowest level.
func (q *Questionnaire) Score(a Assessment) []DomainScore {
	scores := make([]DomainScore, 0, len(q.Domains))
	for _, d := range q.Domains {
		s := DomainScore{Domain: d.ID, Items: len(d.Items)}
		var levels []Level
		for _, i := range d.Items {
			level := a.Answers[i.ID].Level
			if level == nil {
				continue
			}
			levels = append(levels, *level)
			switch {
			case s.Lowest == nil || *level < *s.Lowest:
				lowest := *level
				s.Lowest, s.Weakest = &lowest, []string{i.ID}
			case *level == *s.Lowest:
				s.Weakest = append(s.Weakest, i.ID)
			}
		}
		if s.Answered = len(levels); s.Answered > 0 {
			slices.Sort(levels)
			s.Median = &levels[(len(levels)-1)/2]
		}
		scores = append(scores, s)
	}
	return scores
}

// Open is an item without a level.
type Open struct {
	Item   string `json:"item"`
	Domain string `json:"domain"`
	// Missing is why the data do not answer it; empty of an item that waits for people.
	Missing Reason `json:"missing,omitempty"`
}

// Unanswered lists the items without a level, in their order.
func (q *Questionnaire) Unanswered(a Assessment) []Open {
	var open []Open
	for _, d := range q.Domains {
		for _, i := range d.Items {
			answer := a.Answers[i.ID]
			if answer.Level != nil {
				continue
			}
			one := Open{Item: i.ID, Domain: d.ID}
			if answer.Figure != nil {
				one.Missing = answer.Figure.Missing
			}
			if i.FromData() && one.Missing == "" {
				one.Missing = NoMeasure
			}
			open = append(open, one)
		}
	}
	return open
}
