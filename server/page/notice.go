package page

import (
	"slices"

	"github.com/equitylens/equitylens/internal/bedside"
)

// The types that a view is made of, as notices and sources name them.
const (
	resourcePatient   = "Patient"
	resourceEncounter = "Encounter"
	resourceEvent     = "AdverseEvent"
)

// unread reports whether something of a type may be there that the view does not hold. What is missing
// is then not known to be missing.
func unread(v *bedside.View, resource string) bool {
	return slices.ContainsFunc(v.Notices, func(n bedside.Notice) bool { return n.Resource == resource })
}

// notice says in words in which respect a view is not whole.
func (w *voice) notice(n bedside.Notice) string {
	key := "notice." + string(n.Kind) + "." + n.Resource
	if !w.Has(key) {
		return w.Say("notice." + string(n.Kind) + ".other")
	}
	switch n.Kind {
	case bedside.Unreadable, bedside.OtherPatient:
		if n.Resource != resourcePatient {
			return w.Say(key, max(n.Count, 1))
		}
	case bedside.NoPermission, bedside.NotOffered, bedside.Unreachable, bedside.Partial:
	}
	return w.Say(key)
}
