package scope_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/auth/scope"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in, want string
	}{
		{"read and search", "system/MeasureReport.rs", "system/MeasureReport.rs"},
		{"every type", "system/*.rs", "system/*.rs"},
		{"every action", "patient/Patient.cruds", "patient/Patient.cruds"},
		{"version 1 read", "user/Patient.read", "user/Patient.read"},
		{"version 1 write", "user/*.write", "user/*.write"},
		{"version 1 all", "user/*.*", "user/*.*"},
		{"one search parameter", "system/Observation.rs?category=laboratory",
			"system/Observation.rs?category=laboratory"},
		{"search parameters in order", "system/Observation.rs?b=2&a=1&b=2",
			"system/Observation.rs?a=1&b=2"},
		{"a value with a system", "patient/Observation.rs?category=http://x/y|lab",
			"patient/Observation.rs?category=http://x/y|lab"},
		{"launch", "launch/patient", "launch/patient"},
		{"openid", "openid", "openid"},
		{"a name with a dot", "equity.review", "equity.review"},
		{"one of our own", "equitylens/unsuppressed", "equitylens/unsuppressed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := scope.Parse(c.in)
			if err != nil || got.String() != c.want {
				t.Errorf("Parse(%s) = %q, %v, want %q", c.in, got, err, c.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in string }{
		{"nothing", ""},
		{"a space", "a b"},
		{"a quote", `a"b`},
		{"a backslash", `a\b`},
		{"a control character", "a\x00b"},
		{"more than ASCII", "system/Pätient.rs"},
		{"actions out of order", "system/Measure.sr"},
		{"an action twice", "system/Measure.rr"},
		{"no actions", "system/Measure."},
		{"no dot", "system/Measure"},
		{"no type", "system/.rs"},
		{"a type in small letters", "system/measure.rs"},
		{"a type with a digit", "system/Measure2.rs"},
		{"an unknown action", "system/Measure.x"},
		{"one of our own, misspelt", "equitylens/patient"},
		{"one of our own with actions", "equitylens/patients.rs"},
		{"half of one of our own", "equitylens/"},
		{"an empty query", "system/Measure.rs?"},
		{"a parameter without a value", "system/Measure.rs?status"},
		{"a parameter without a name", "system/Measure.rs?=final"},
		{"a query on version 1", "system/Measure.read?status=active"},
		{"a very long text", "system/Measure.rs?a=" + strings.Repeat("x", 2000)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got, err := scope.Parse(c.in); !errors.Is(err, scope.ErrMalformed) {
				t.Errorf("Parse(%s) = %q, %v, want ErrMalformed", c.in, got, err)
			}
		})
	}
}

func TestCovers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, have, need string
		want             bool
	}{
		{"every type covers one", "system/*.rs", "system/MeasureReport.rs", true},
		{"more actions cover fewer", "system/MeasureReport.rs", "system/MeasureReport.r", true},
		{"fewer actions do not cover more", "system/MeasureReport.r", "system/MeasureReport.rs", false},
		{"two grants cover together", "system/Measure.r system/*.s", "system/Measure.rs", true},
		{"one type does not cover every type", "system/Measure.rs", "system/*.rs", false},
		{"another type", "system/Measure.rs", "system/MeasureReport.rs", false},
		{"a type that starts alike", "system/MeasureReport.rs", "system/Measure.rs", false},
		{"all actions cover read", "patient/*.cruds", "patient/Patient.r", true},
		{"version 1 read is rs", "system/Measure.read", "system/Measure.rs", true},
		{"version 1 read is not create", "system/Measure.read", "system/Measure.c", false},
		{"version 1 write is cud", "user/Task.write", "user/Task.cud", true},
		{"version 1 all is cruds", "user/Task.*", "user/Task.cruds", true},
		{"no limit covers a limit", "system/Observation.rs",
			"system/Observation.rs?category=laboratory", true},
		{"a limit does not cover no limit", "system/Observation.rs?category=laboratory",
			"system/Observation.rs", false},
		{"a limit covers a narrower one", "system/Observation.rs?category=laboratory",
			"system/Observation.rs?category=laboratory&status=final", true},
		{"another limit", "system/Observation.rs?category=laboratory",
			"system/Observation.rs?category=vital-signs", false},
		{"system does not cover user", "system/*.cruds", "user/Patient.r", false},
		{"user does not cover patient", "user/*.cruds", "patient/Patient.r", false},
		{"a name covers itself", "openid launch", "launch", true},
		{"a name does not cover a part", "launch/patient", "launch", false},
		{"nothing covers nothing", "", "system/Measure.r", false},
		{"one of our own covers itself", "equitylens/patients", "equitylens/patients", true},
		{"one of our own covers no other", "equitylens/patients", "equitylens/unsuppressed", false},
		{"no clinical scope covers one of our own", "system/*.cruds user/*.* patient/*.*",
			"equitylens/patients", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := parse(t, c.have).Covers(parse(t, c.need)[0]); got != c.want {
				t.Errorf("Covers(%q, %q) = %v, want %v", c.have, c.need, got, c.want)
			}
		})
	}
	if parse(t, "system/*.cruds").Covers(scope.Scope{}) {
		t.Error("a set covers the zero scope")
	}
}

func TestNarrow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, asked, allowed, want string
	}{
		{"all of it", "system/Measure.rs", "system/*.rs", "system/Measure.rs"},
		{"the allowed types of every type", "system/*.rs",
			"system/Measure.rs system/MeasureReport.rs", "system/Measure.rs system/MeasureReport.rs"},
		{"the allowed actions", "system/Measure.cruds", "system/Measure.rs", "system/Measure.rs"},
		{"the allowed scopes", "system/Measure.rs system/Patient.rs", "system/Measure.rs",
			"system/Measure.rs"},
		{"what is allowed in two parts", "system/Measure.rs", "system/Measure.r system/Measure.s",
			"system/Measure.rs"},
		{"the limits of the grant", "system/Observation.rs",
			"system/Observation.rs?category=laboratory", "system/Observation.rs?category=laboratory"},
		{"version 1 as it was written", "system/Measure.read", "system/*.rs", "system/Measure.read"},
		{"version 1 all, in the spelling of 1 where it has one", "system/Measure.*", "system/Measure.rs",
			"system/Measure.read"},
		{"version 1 cut to what it cannot spell", "system/Measure.read", "system/Measure.r",
			"system/Measure.r"},
		{"no repeats", "system/Measure.rs system/Measure.rs system/Measure.r", "system/*.rs",
			"system/Measure.rs"},
		{"names", "openid launch", "launch", "launch"},
		{"our own, each by its name", "equitylens/patients equitylens/import system/Measure.rs",
			"equitylens/patients system/*.cruds", "equitylens/patients system/Measure.rs"},
		{"nothing", "system/Patient.rs user/Measure.rs openid", "system/Measure.rs", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := scope.Narrow(parse(t, c.asked), parse(t, c.allowed)).String()
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("Narrow(%q, %q) (-want +got):\n%s", c.asked, c.allowed, diff)
			}
		})
	}
}

func parse(t *testing.T, text string) scope.Set {
	t.Helper()
	set, err := scope.ParseSet(text)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// draw makes a set of few, colliding scopes.
func draw(t *rapid.T, label string) scope.Set {
	one := rapid.Custom(func(t *rapid.T) scope.Scope {
		if rapid.IntRange(0, 5).Draw(t, "kind") == 0 {
			s, _ := scope.Parse(rapid.SampledFrom([]string{"openid", "launch"}).Draw(t, "name"))
			return s
		}
		text := rapid.SampledFrom([]string{"system", "user"}).Draw(t, "context") + "/" +
			rapid.SampledFrom([]string{"*", "Measure", "Task"}).Draw(t, "type") + "." +
			rapid.SampledFrom([]string{"r", "rs", "s", "cud", "cruds", "read", "*"}).Draw(t, "actions")
		if !strings.HasSuffix(text, "read") && !strings.HasSuffix(text, ".*") {
			text += rapid.SampledFrom([]string{"", "", "?a=1", "?a=1&b=2", "?b=2"}).Draw(t, "query")
		}
		s, err := scope.Parse(text)
		if err != nil {
			t.Fatalf("Parse(%s) = %v", text, err)
		}
		return s
	})
	return rapid.SliceOfN(one, 0, 5).Draw(t, label)
}

func TestNarrowProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		asked, allowed := draw(t, "asked"), draw(t, "allowed")
		granted := scope.Narrow(asked, allowed)
		for _, s := range granted {
			if !allowed.Covers(s) {
				t.Errorf("%q was granted beyond %q", s, allowed)
			}
			if !asked.Covers(s) {
				t.Errorf("%q was granted without being asked: %q", s, asked)
			}
		}
		for _, s := range asked {
			if allowed.Covers(s) && !granted.Covers(s) {
				t.Errorf("%q is allowed by %q and was not granted: %q", s, allowed, granted)
			}
		}
		if again := scope.Narrow(granted, allowed); again.String() != granted.String() {
			t.Errorf("Narrow again = %q, want %q", again, granted)
		}
		// Whatever single action both sides allow is granted.
		need := draw(t, "need")
		for _, s := range need {
			if asked.Covers(s) && allowed.Covers(s) && single(s) && !granted.Covers(s) {
				t.Errorf("%q is asked by %q, allowed by %q, not granted by %q", s, asked, allowed, granted)
			}
		}
	})
}

// single reports whether s has one action, so that one grant alone can cover it.
func single(s scope.Scope) bool { return s.Actions&(s.Actions-1) == 0 }

func TestCoversProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := draw(t, "a"), draw(t, "b"), draw(t, "c")
		covers := func(have, need scope.Set) bool {
			for _, s := range need {
				if !have.Covers(s) {
					return false
				}
			}
			return true
		}
		if !covers(a, a) {
			t.Errorf("%q does not cover itself", a)
		}
		if covers(a, b) && covers(b, c) && !covers(a, c) {
			t.Errorf("%q covers %q covers %q, but not at once", a, b, c)
		}
		read, err := scope.ParseSet(a.String())
		if err != nil || read.String() != a.String() {
			t.Errorf("ParseSet(%q) = %q, %v", a, read, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "openid", "system/*.rs", "system/Measure.read", "patient/Patient.cruds?_id=1&a=b",
		"user/*.*", "equitylens/import", "equitylens/x", "system/Measure.sr",
		"system/", "system/Measure.rs?", "launch/patient",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := scope.Parse(text)
		if err != nil {
			if !errors.Is(err, scope.ErrMalformed) {
				t.Errorf("Parse(%q) = %v, want ErrMalformed", text, err)
			}
			return
		}
		again, err := scope.Parse(s.String())
		if err != nil || again != s {
			t.Errorf("Parse(%q) = %+v, %v, want %+v", s.String(), again, err, s)
		}
		if !(scope.Set{s}).Covers(s) {
			t.Errorf("%q does not cover itself", s)
		}
	})
}
