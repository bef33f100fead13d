package bedside

import (
	"cmp"
	"slices"
)

// noted is what notices are told apart by.
type noted struct {
	kind     NoticeKind
	resource string
}

// notices gathers what is not whole; the number counts single resources.
type notices map[noted]int

// add notes n further resources, or none where the notice is about the type as a whole.
func (ns notices) add(kind NoticeKind, resource string, n int) { ns[noted{kind, resource}] += n }

// join adds what another part of the reading has noted.
func (ns notices) join(other notices) {
	for note, n := range other {
		ns[note] += n
	}
}

// list brings the notices into one order: by type, then as NoticeKinds has it.
func (ns notices) list() []Notice {
	var out []Notice
	for note, n := range ns {
		out = append(out, Notice{Kind: note.kind, Resource: note.resource, Count: n})
	}
	kinds := NoticeKinds()
	types := []string{kindPatient, kindEncounter, kindEvent}
	slices.SortFunc(out, func(a, b Notice) int {
		return cmp.Or(
			cmp.Compare(slices.Index(types, a.Resource), slices.Index(types, b.Resource)),
			cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)))
	})
	return out
}
