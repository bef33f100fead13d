package measure

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Words is what people read of a measure or of one of its rates, in one language.
type Words struct {
	Title string `yaml:"title"`
	// Says is one sentence: what is counted of what.
	Says string `yaml:"says"`
	// Reads is a clause that follows "In 2025, " and holds Score once. It has no full stop, so that
	// more can follow. A measure without it is read as "title: score".
	Reads string `yaml:"reads"`
	// Caution is what the figure does not say.
	Caution string `yaml:"caution"`
}

// Score stands in Words.Reads where a number comes: of a proportion how many of 100, of any other
// scoring the score as it is scaled. Whoever fills it writes the number as the reader's locale
// does.
const Score = "{n}"

// longestWords is how many characters each of the Words may have: about three lines of print, which
// people still read beside a figure.
const longestWords = 300

// Languages lists the languages that a definition may have words in, as subtags of BCP 47: the one
// of its own keys first, the others below the key in.
func Languages() []string { return []string{"en", "es"} }

// Words returns what people read of the measure in a language. What is not said in it is in
// English.
func (d *Definition) Words(language string) Words {
	return d.In[language].or(Words{d.Title, d.Says, d.Reads, d.Caution})
}

// Words returns what people read of a rate, as Rates gives it, in a language. What is not said in
// it is in English.
func (g GroupDefinition) Words(language string) Words {
	return g.In[language].or(g.words())
}

// words are those of the rate's own keys, in English.
func (g GroupDefinition) words() Words { return Words{g.Title, g.Says, g.Reads, g.Caution} }

// or takes from other whatever w leaves open.
func (w Words) or(other Words) Words {
	return Words{
		Title:   cmp.Or(w.Title, other.Title),
		Says:    cmp.Or(w.Says, other.Says),
		Reads:   cmp.Or(w.Reads, other.Reads),
		Caution: cmp.Or(w.Caution, other.Caution),
	}
}

// worded fills in a rate what it leaves to the measure. What the rate says for itself, in whatever
// language, comes before what the measure says: that may be true of another rate. For the same
// reason no rate has the clause of the measure, unless it is the only one.
func (d *Definition) worded(g GroupDefinition) GroupDefinition {
	own := g.words()
	inherited := func(of Words) Words {
		if len(d.Groups) > 0 {
			of.Reads = ""
		}
		return of
	}
	all := own.or(inherited(Words{d.Title, d.Says, d.Reads, d.Caution}))
	in := maps.Clone(g.In)
	for language, w := range d.In {
		if in == nil {
			in = make(map[string]Words, len(d.In))
		}
		in[language] = g.In[language].or(own).or(inherited(w))
	}
	g.Title, g.Says, g.Reads, g.Caution, g.In = all.Title, all.Says, all.Reads, all.Caution, in
	return g
}

// wordFaults says what is wrong with the words of a definition.
func (d *Definition) wordFaults() []error {
	faults := slices.Concat(
		clauseFaults("reads", d.Reads), plainFaults("caution", d.Caution), inFaults("in", d.In))
	for i, g := range d.Groups {
		at := fmt.Sprintf("groups[%d].", i)
		faults = slices.Concat(faults, plainFaults(at+"says", g.Says),
			clauseFaults(at+"reads", g.Reads), plainFaults(at+"caution", g.Caution),
			inFaults(at+"in", g.In))
	}
	return faults
}

func inFaults(place string, in map[string]Words) []error {
	var faults []error
	others := Languages()[1:]
	for _, language := range slices.Sorted(maps.Keys(in)) {
		at := place + "." + language
		if !slices.Contains(others, language) {
			faults = append(faults, fmt.Errorf("%s: no words are kept in this language, only in %s",
				at, strings.Join(others, ", ")))
			continue
		}
		w := in[language]
		faults = slices.Concat(faults, plainFaults(at+".title", w.Title),
			plainFaults(at+".says", w.Says), clauseFaults(at+".reads", w.Reads),
			plainFaults(at+".caution", w.Caution))
	}
	return faults
}

// clauseFaults says what keeps a text from standing in a sentence with a number in it.
func clauseFaults(place, text string) []error {
	if text == "" {
		return nil
	}
	faults := plainFaults(place, text)
	if n := strings.Count(text, Score); n != 1 {
		faults = append(faults, fmt.Errorf("%s: holds %s %d times, not once", place, Score, n))
	}
	if strings.ContainsAny(strings.ReplaceAll(text, Score, ""), "{}") {
		faults = append(faults, fmt.Errorf("%s: holds a brace other than those of %s", place, Score))
	}
	if strings.HasSuffix(text, ".") {
		faults = append(faults, fmt.Errorf("%s: ends with a full stop; the sentence goes on", place))
	}
	return faults
}

// plainFaults refuses what is no plain line of words: characters that cannot be seen, among them
// those that turn the direction of writing, and more than a reader reads.
func plainFaults(place, text string) []error {
	var faults []error
	if !utf8.ValidString(text) {
		faults = append(faults, fmt.Errorf("%s: is not UTF-8", place))
	}
	hidden := func(r rune) bool { return !unicode.IsGraphic(r) }
	if i := strings.IndexFunc(text, hidden); i >= 0 {
		r, _ := utf8.DecodeRuneInString(text[i:])
		faults = append(faults, fmt.Errorf("%s: holds the character %U; words stand on "+
			"one line, which >- folds from several", place, r))
	}
	if n := utf8.RuneCountInString(text); n > longestWords {
		faults = append(faults, fmt.Errorf("%s: has %d characters, more than %d", place, n, longestWords))
	}
	if text != strings.TrimSpace(text) {
		faults = append(faults, fmt.Errorf("%s: begins or ends with a space", place))
	}
	return faults
}
