package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// Nothing else stands in a picture: no style, no script, no address.
var (
	elements   = []string{"svg", "title", "desc", "g", "rect", "line", "circle", "path", "text", "tspan"}
	attributes = []string{
		"xmlns", "class", "viewBox", "width", "height", "lang", "role",
		"aria-labelledby", "aria-label", "aria-hidden",
		"direction", "font-family", "id", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "d", "dx", "fill",
		"stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "paint-order", "font-size",
		"font-weight", "text-anchor", "pointer-events",
	}
)

// element is one of a picture, with its own text.
type element struct {
	name string
	attr map[string]string
	text string
}

// parsed returns the elements of a picture and what is wrong with it.
func parsed(svg string) ([]element, error) {
	d := xml.NewDecoder(strings.NewReader(svg))
	d.Strict = true
	var all []element
	var open []int
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := element{name: token.Name.Local, attr: map[string]string{}}
			for _, a := range token.Attr {
				if _, twice := e.attr[a.Name.Local]; twice && a.Name.Local != "lang" {
					return nil, errors.New("twice: " + a.Name.Local)
				}
				e.attr[a.Name.Local] = a.Value
			}
			open = append(open, len(all))
			all = append(all, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				all[open[len(open)-1]].text += string(token)
			}
		default:
			return nil, errors.New("neither an element nor text")
		}
	}
}

var unseen = regexp.MustCompile("[\x00-\x08\x0b-\x1f\u0085\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")

// fault says what in a picture should not be there.
func fault(svg string) string {
	if !utf8.ValidString(svg) {
		return "no UTF-8"
	}
	if i := unseen.FindStringIndex(svg); i != nil {
		return "a character that is not to be seen, after " + svg[max(0, i[0]-40):i[0]]
	}
	all, err := parsed(svg)
	if err != nil {
		return err.Error()
	}
	ids := map[string]bool{}
	for i, e := range all {
		if (e.name == "svg") != (i == 0) || !slices.Contains(elements, e.name) {
			return "an element " + e.name
		}
		for name, value := range e.attr {
			if !slices.Contains(attributes, name) {
				return "an attribute " + name
			}
			if strings.Contains(value, "url(") || strings.Contains(value, "NaN") || strings.Contains(value, "Inf") {
				return name + "=" + value
			}
		}
		if id := e.attr["id"]; id != "" {
			if ids[id] {
				return "twice the id " + id
			}
			ids[id] = true
		}
	}
	for id := range strings.FieldsSeq(all[0].attr["aria-labelledby"]) {
		if !ids[id] {
			return "named by " + id + ", which is not there"
		}
	}
	return ""
}

// fill sets every string that v leads to.
func fill(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Pointer:
		if !v.IsNil() {
			fill(v.Elem(), text)
		}
	case reflect.Slice:
		for i := range v.Len() {
			fill(v.Index(i), text)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), text)
		}
	case reflect.Func:
		if !v.IsNil() {
			v.Set(reflect.ValueOf(func(float64) string { return text }))
		}
	default:
	}
}

// saying is one picture of each kind, with a text in every place.
func saying(text string) map[string]Chart {
	out := map[string]Chart{}
	for name, c := range every() {
		v := reflect.New(reflect.TypeOf(c))
		v.Elem().Set(reflect.ValueOf(c))
		fill(v.Elem(), text)
		out[name], _ = v.Elem().Interface().(Chart)
	}
	return out
}

func TestHostileTextIsInert(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a script":              `<script>alert(1)</script>`,
		"a frame":               `"><iframe src="https://evil.example/"></iframe>`,
		"an attribute":          `x" onload="alert(1)" style="display:none`,
		"an attribute in '":     `x' onfocus='alert(1)' autofocus='`,
		"an end":                `</text></title></svg><script>alert(1)</script>`,
		"a comment":             `<!-- --!> <![CDATA[ ]]> <?xml version="1.0"?> <!DOCTYPE x>`,
		"an entity":             `&lt;script&gt; &amp &#x3c;b&#x3e; &xxe;`,
		"turned around":         "abc \u202egnp.exe\u2066\u2067 \u202d\u200f\u061c",
		"control characters":    "a\x00b\x1b[31mc\r\nd\u0085e\x7f",
		"no UTF-8":              "a\xff\xfeb",
		"no characters":         "a\ufffe\uffff\ufeffb",
		"very long":             strings.Repeat("Wolfeschlegelsteinhausen", 400),
		"many words":            strings.Repeat("of people ", 400),
		"a line separator":      "a\u2028b\u2029c",
		"nothing that is shown": "\u202e\u2066",
		"nothing":               "",
		"from right to left":    "\u0645\u0633\u062a\u0634\u0641\u0649",
		"wide letters":          strings.Repeat("\u6f22\u5b57", 60),
		"marks upon marks":      "a" + strings.Repeat("\u0301", 80),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for kind, c := range saying(text) {
				for _, width := range []int{Wide, Narrow} {
					svg := svgOf(t, c, width)
					if wrong := fault(svg); wrong != "" {
						t.Errorf("%s, %d wide: %s", kind, width, wrong)
					}
					const enough = 250_000
					if len(svg) > enough {
						t.Errorf("%s, %d wide, has %d bytes", kind, width, len(svg))
					}
					if out := outside(lay(c, Options{Width: width})); out != "" {
						t.Errorf("%s, %d wide: %s is outside of the picture", kind, width, out)
					}
				}
			}
		})
	}
}

func FuzzText(f *testing.F) {
	f.Add("<b>&'\"\x00\u202e", Wide)
	f.Add("Vietnamese 34 % of 176 visits, 95 % interval 27 to 41", Narrow)
	f.Add("a\xffb \u2028 \ufffe", 1)
	f.Fuzz(func(t *testing.T, text string, width int) {
		for kind, c := range saying(text) {
			if wrong := fault(svgOf(t, c, width)); wrong != "" {
				t.Errorf("%s of %q: %s", kind, text, wrong)
			}
		}
	})
}

func TestAnyTextIsWellFormed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[\x00-\x7f]{0,60}`)).Draw(r, "text")
		kind := rapid.SampledFrom([]string{"funnel", "completeness", "sparkline"}).Draw(r, "kind")
		if wrong := fault(svgOf(t, saying(text)[kind], Narrow)); wrong != "" {
			r.Fatalf("%s of %q: %s", kind, text, wrong)
		}
	})
}

func TestTextIsCleaned(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, in, want string }{
		{"spaces are one", " a \t\n b ", "a b"},
		{"what turns others is gone", "a\u202eb\u2066c", "abc"},
		{"what XML cannot hold is gone", "a\x00\x0b\ufffeb", "a b"},
		{"letters of any script stay", "Tiếng Việt العربية 中文", "Tiếng Việt العربية 中文"},
		{"what joins letters stays", "a\u200db", "a\u200db"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := clean(test.in); got != test.want {
				t.Errorf("clean(%q) = %q, want %q", test.in, got, test.want)
			}
		})
	}
	if got, want := tag(`es-419" onload="`), "es-419onload"; got != want {
		t.Errorf("tag = %q, want %q", got, want)
	}
}

// Whoever does not see a picture hears its name, and then what it shows.
func TestPicturesAreNamed(t *testing.T) {
	t.Parallel()
	named := func(c Chart) (role, label string, said []string) {
		all, err := parsed(svgOf(t, c, Narrow))
		if err != nil {
			t.Fatal(err)
		}
		root := all[0].attr
		for id := range strings.FieldsSeq(root["aria-labelledby"]) {
			for _, e := range all {
				if e.attr["id"] == id {
					said = append(said, e.text)
				}
			}
		}
		if root["aria-hidden"] == "true" {
			return "hidden", "", said
		}
		return root["role"], root["aria-label"], said
	}
	for _, test := range []struct {
		name        string
		chart       Chart
		role, label string
		said        []string
	}{
		{"by title and description", DotPlot{Meta: Meta{Title: "Falls",
			Description: "Most at A."}}, "img", "", []string{"Falls", "Most at A."}},
		{"by title alone", DotPlot{Meta: Meta{Title: "Falls"}}, "img", "", []string{"Falls"}},
		{"by description alone", DotPlot{Meta: Meta{Description: "Most at A."}}, "img", "",
			[]string{"Most at A."}},
		{"a small one in one line", Sparkline{Meta: Meta{Title: "Falls", Description: "Fewer."}},
			"img", "Falls Fewer.", nil},
		{"one without a name is passed over", Sparkline{}, "hidden", "", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			role, label, said := named(test.chart)
			if role != test.role || label != test.label || !slices.Equal(said, test.said) {
				t.Errorf("the picture is %q, %q, %q, want %q, %q, %q", role, label, said,
					test.role, test.label, test.said)
			}
		})
	}
}
