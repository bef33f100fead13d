package measure_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/measure"
)

func TestParseStratifier(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		// want is nil for an error.
		want measure.Stratifier
	}{
		{"a dimension", "race", measure.Stratifier{"race"}},
		{"a cross", "race*language_group", measure.Stratifier{"race", "language_group"}},
		{"the other way round", "language_group*race", measure.Stratifier{"language_group", "race"}},
		{"the site", "site", measure.Stratifier{"site"}},
		{"nothing", "", nil},
		{"half a cross", "race*", nil},
		{"a cross with itself", "race*race", nil},
		{"three", "race*sex*site", measure.Stratifier{"race", "sex", "site"}},
		{"four", "race*sex*site*language", nil},
		{"the recorded races", "race_set", measure.Stratifier{"race_set"}},
		{"the recorded categories of 2024, crossed", "spd15_set*sex",
			measure.Stratifier{"spd15_set", "sex"}},
		{"another word", "gender", nil},
		{"capitals", "Race", nil},
		{"space", "race * sex", nil},
		{"a column that is no dimension", "class", nil},
		{"an injection", "race) FROM base.patient --", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := measure.ParseStratifier(test.in)
			if d := cmp.Diff(test.want, got); d != "" || (err != nil) != (test.want == nil) {
				t.Errorf("ParseStratifier(%q) = %v, %v; want %v", test.in, got, err, test.want)
			}
			if err != nil && !errors.Is(err, measure.ErrUnknownDimension) {
				t.Errorf("ParseStratifier(%q) = %v, which is not ErrUnknownDimension", test.in, err)
			}
			if err == nil && got.String() != test.in {
				t.Errorf("ParseStratifier(%q).String() = %s", test.in, got)
			}
		})
	}
}
