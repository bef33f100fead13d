package page

import (
	"slices"

	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/mapping"
)

// lead is the one sentence that matters, what is documented for the current visit, and what to do.
type lead struct {
	// Tone is the name of a colour, and of the word that says the same without one.
	Tone, Label string
	// Language is left out where Need names it.
	Need, Language, Now string
	Todo                []string
}

// The tones.
const (
	toneAct   = "act"
	toneAsk   = "ask"
	toneCheck = "check"
	toneOK    = "ok"
	toneNote  = "note"
)

// lead says what follows from the view, and no more: where need is not settled it says how, and asks.
func (w *voice) lead(v *bedside.View) lead {
	now := nowOf(v)
	out := lead{Need: w.need(v)}
	needed := v.Interpreter.State == mapping.Known && v.Interpreter.Code == mapping.Yes
	if !needed && v.Language.State == mapping.Known {
		out.Language = w.Say("lead.language", w.Language(v.Language.Code))
	}
	switch {
	case needed:
		out.Tone = neededTone(now)
		out.Now = w.Say("now." + now)
		out.Todo = w.neededTodo(v, now)
	case v.Interpreter.State == mapping.Known:
		out.Tone = toneNote
		out.Now = w.shown(now)
	default:
		state := stateOf(v.Interpreter.Value, needUnread(v))
		out.Tone = absentTone(state)
		out.Now = w.shown(now)
		out.Todo = []string{w.Say(absentTodo(state))}
	}
	out.Label = w.Say("tone." + out.Tone)
	return out
}

// need is the sentence about need itself, by what is known of it.
func (w *voice) need(v *bedside.View) string {
	need, language := v.Interpreter, v.Language
	switch {
	case need.State != mapping.Known:
		return w.Say("lead." + stateOf(need.Value, needUnread(v)))
	case need.Code != mapping.Yes:
		return w.Say("lead.no")
	case language.State != mapping.Known || language.Code == codeEnglish:
		return w.Say("lead.yes")
	}
	return w.Say("lead.yes.language", w.Language(language.Code))
}

// codeEnglish is English as BCP 47 writes it. Who prefers it and needs an interpreter needs one for
// another language, which is not known: it may be a sign language, and the record may be wrong.
const codeEnglish = "en"

// What is documented for the current visit, beside the values of mapping.InterpreterUse.
const (
	nowNotRead = "not-read"
	nowNoVisit = "no-visit"
)

// current returns the index of the current visit, -1 where there is none.
func current(v *bedside.View) int {
	return slices.IndexFunc(v.Visits, func(one bedside.Visit) bool { return one.Current })
}

// needUnread reports whether the need that holds now may be recorded where the view did not look: it is
// that of the current visit or of the patient, and of any visit where none is under way.
func needUnread(v *bedside.View) bool {
	return unread(v, resourcePatient) || unread(v, resourceEncounter) && current(v) < 0
}

// nowOf returns what is documented for the current visit.
func nowOf(v *bedside.View) string {
	i := current(v)
	switch {
	case i >= 0 && v.Visits[i].Use != "":
		return string(v.Visits[i].Use)
	case i >= 0:
		return string(mapping.NoneDocumented)
	case unread(v, resourceEncounter):
		return nowNotRead
	}
	return nowNoVisit
}

// shown says what is documented where no need is known: that nothing is would sound like a reproach.
func (w *voice) shown(now string) string {
	switch now {
	case string(mapping.Documented), string(mapping.Arranged), string(mapping.AdHoc):
		return w.Say("now." + now)
	}
	return ""
}

func neededTone(now string) string {
	switch now {
	case string(mapping.Documented):
		return toneOK
	case string(mapping.Arranged):
		return toneNote
	case string(mapping.AdHoc), string(mapping.NoneDocumented):
		return toneAct
	}
	return toneCheck
}

// neededTodo says what to do for a patient who needs an interpreter.
func (w *voice) neededTodo(v *bedside.View, now string) []string {
	var todo []string
	switch now {
	case string(mapping.Documented):
	case string(mapping.Arranged), string(mapping.AdHoc), string(mapping.NoneDocumented):
		todo = append(todo, w.Say("do."+now))
	default:
		todo = append(todo, w.Say("do.check-visit"))
	}
	switch {
	case v.Language.State != mapping.Known:
		todo = append(todo, w.Say("do.language"))
	case v.Language.Code == codeEnglish:
		todo = append(todo, w.Say("do.language.english"))
	}
	return todo
}

func absentTone(state string) string {
	switch state {
	case string(mapping.Unmapped), string(mapping.TextOnly), notRead:
		return toneCheck
	case string(mapping.AskedDeclined):
		return toneNote
	}
	return toneAsk
}

// absentTodo returns the key of what to do where need is not known.
func absentTodo(state string) string {
	switch state {
	case string(mapping.AskedDeclined), string(mapping.Conflicting), string(mapping.Unmapped),
		string(mapping.TextOnly), notRead:
		return "do." + state
	}
	return "do.ask"
}
