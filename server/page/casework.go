package page

// Fault is what is wrong with a field of a form that somebody sent. The sentence stands above the form,
// leads to the field, and is what the field is described by.
type Fault struct{ Field, Text string }

// FaultOf returns what is wrong with a field; "" where nothing is.
func FaultOf(faults []Fault, field string) string {
	for _, f := range faults {
		if f.Field == field {
			return f.Text
		}
	}
	return ""
}
