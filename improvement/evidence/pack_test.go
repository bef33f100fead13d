package evidence_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/evidence"
	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server/words"
)

func pack(t testing.TB, m evidence.Material, o evidence.Options) evidence.Pack {
	t.Helper()
	p, err := evidence.Make(m, o)
	if err != nil {
		t.Fatalf("Make() = %v", err)
	}
	return p
}

// once holds the internal pack of the usual material in English, for tests that only look at it.
var once struct {
	sync.Once
	pack evidence.Pack
}

func usual(t testing.TB) evidence.Pack {
	t.Helper()
	once.Do(func() { once.pack = pack(t, material(t, "x"), options(t, "en")) })
	return once.pack
}

func file(t testing.TB, p evidence.Pack, name string) []byte {
	t.Helper()
	i := slices.IndexFunc(p.Files, func(f evidence.File) bool { return f.Name == name })
	if i < 0 {
		t.Fatalf("the pack has no %s", name)
	}
	return p.Files[i].Body
}

// page parses the page.
func page(t testing.TB, p evidence.Pack) *html.Node {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(file(t, p, evidence.PageFile)))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// text is what a reader sees of a node, without the style sheet.
func text(root *html.Node) string {
	var out strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" {
			out.WriteString(n.Data + "\n")
		}
	}
	return out.String()
}

// everything is all bytes of a pack, with those in the workbook as they are unpacked.
func everything(t testing.TB, p evidence.Pack) string {
	t.Helper()
	var out strings.Builder
	for _, f := range p.Files {
		out.Write(f.Body)
		if f.Name != evidence.BookFile {
			continue
		}
		book, err := zip.NewReader(bytes.NewReader(f.Body), int64(len(f.Body)))
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range book.File {
			in, err := part.Open()
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(in)
			if err := errors.Join(err, in.Close()); err != nil {
				t.Fatal(err)
			}
			out.Write(body)
		}
	}
	return out.String()
}

func TestEqualMaterialsGiveEqualBytes(t *testing.T) {
	t.Parallel()
	o := options(t, "en")
	first, second := usual(t), pack(t, material(t, "x"), o)
	for i, f := range first.Files {
		if !bytes.Equal(f.Body, second.Files[i].Body) {
			t.Errorf("%s differs from one making to the next", f.Name)
		}
	}
}

// Every sentence is there in both languages, every address within the page leads somewhere, and every
// section that is promised is there.
func TestThePageSaysAllOfIt(t *testing.T) {
	t.Parallel()
	key := regexp.MustCompile(`\bevidence\.[a-z]+|%!|\{figure\}`)
	for _, tag := range words.Languages() {
		for _, audience := range []release.Audience{release.Internal, release.Public} {
			t.Run(tag.String()+" "+string(audience), func(t *testing.T) {
				t.Parallel()
				m := material(t, "x")
				m.Audience = audience
				root := page(t, pack(t, m, options(t, tag.String())))
				if found := key.FindAllString(strings.ReplaceAll(text(root), "evidence.html", ""), -1); found != nil {
					t.Errorf("the page says %q", found)
				}
				ids, links := map[string]int{}, []string{}
				for n := range root.Descendants() {
					for _, a := range n.Attr {
						if a.Key == "id" && n.Data == "section" {
							ids[a.Val]++
						}
						if a.Key == "href" {
							links = append(links, a.Val)
						}
					}
				}
				for _, link := range links {
					if target, ok := strings.CutPrefix(link, "#"); !ok || ids[target] != 1 {
						t.Errorf("%q leads nowhere", link)
					}
				}
				want := 8
				if audience == release.Public {
					want = 7 // What reviews say of few events is not public.
				}
				if len(ids) != want || len(links) < 2*want {
					t.Errorf("%d sections, %d links", len(ids), len(links))
				}
			})
		}
	}
}

// What the figures show of an action is told and drawn as on its own page: what changed, and the control
// chart of the groups. What the public may not have is neither told nor drawn.
func TestTheChartsOfActionsAreOnThePage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		audience release.Audience
		pictures int
		says     string
	}{
		{release.Internal, 2, "month by month"},
		{release.Public, 0, "the gap was smaller than before"},
	} {
		t.Run(string(c.audience), func(t *testing.T) {
			t.Parallel()
			m := material(t, "x")
			m.Audience = c.audience
			root, got := page(t, pack(t, m, options(t, "en"))), 0
			for n := range root.Descendants() {
				if n.Data != "svg" {
					continue
				}
				got++
				if said := text(n); n.Parent.Data != "div" || !strings.Contains(said, "2025") {
					t.Errorf("a picture in <%s> says %q", n.Parent.Data, said)
				}
			}
			if said := text(root); got != c.pictures || !strings.Contains(said, c.says) {
				t.Errorf("%d pictures, want %d, and %q said: %v", got, c.pictures, c.says, strings.Contains(said, c.says))
			}
		})
	}
}

// The policy of the page lets its own style sheet be used, byte for byte, and nothing else.
func TestThePolicyIsOfTheStyleSheet(t *testing.T) {
	t.Parallel()
	style, policy := "", ""
	for n := range page(t, usual(t)).Descendants() {
		if n.Type == html.TextNode && n.Parent.Data == "style" {
			style = n.Data
		}
		if n.Data == "meta" && slices.Contains(n.Attr, html.Attribute{Key: "http-equiv", Val: "Content-Security-Policy"}) {
			policy = n.Attr[1].Val
		}
	}
	sum := sha256.Sum256([]byte(style))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'"
	if style == "" || policy != want {
		t.Errorf("policy = %q, want %q", policy, want)
	}
}

// Nothing that anybody typed, nobody's name, and no figure that is not released is in a public pack,
// whoever hands over the material.
func TestThePublicSeesWhatIsReleased(t *testing.T) {
	t.Parallel()
	const canary = "Kanarienvogel"
	m := material(t, canary)
	sites := material(t, "")
	m.Results = sites.Results // The names of sites are released.
	secrets := []string{
		canary, "7,712,345", "7712345", "8,123,456", "8123456", "71.2", "0.7123", "9,241,777", "9241777", "0.41237",
	}
	inside := everything(t, pack(t, m, options(t, "en")))
	for _, secret := range []string{canary, "7,712,345", "8,123,456", "71.2", "9,241,777"} {
		if !strings.Contains(inside, secret) {
			t.Errorf("%s is not in the internal pack, so that its absence shows nothing", secret)
		}
	}
	m.Audience = release.Public
	outside := everything(t, pack(t, m, options(t, "en")))
	for _, secret := range secrets {
		if strings.Contains(outside, secret) {
			t.Errorf("the public pack holds %s", secret)
		}
	}
	for _, told := range []string{"Spanish", "Routine", "does not count as a demonstrated reduction"} {
		if !strings.Contains(outside, told) {
			t.Errorf("the public pack does not say %q", told)
		}
	}
	m.Assessment.State = readiness.Draft
	if got := everything(t, pack(t, m, options(t, "en"))); strings.Contains(got, "Where each domain stands") {
		t.Error("a draft is in a public pack")
	}
}

// The plan of a draft holds what the data answered as well as what people did.
func TestTheWrittenPlanIsThatOfTheAssessment(t *testing.T) {
	t.Parallel()
	for _, state := range []readiness.State{readiness.Draft, readiness.Final} {
		m := material(t, "x")
		m.Assessment.State = state
		said := text(page(t, pack(t, m, options(t, "en"))))
		for _, want := range []string{
			"Patients with an answer about their race on record: 71.2% (between 60% and 80%).",
			"Name one leader who reports to the chief executive", "Median level",
			"Harm events of which it was asked: cannot be answered, because in this period there is nobody",
		} {
			if state == readiness.Draft && strings.HasPrefix(want, "Name") {
				want = "It is a draft"
			}
			if !strings.Contains(said, want) {
				t.Errorf("the page of a %s does not say %q", state, want)
			}
		}
		if got := strings.Count(said, "71.2% (between"); got != 2 {
			t.Errorf("the page of a %s says where race stands %d times, want in the plan and among the answers", state, got)
		}
	}
}

func TestTheReadmeHoldsTheDigests(t *testing.T) {
	t.Parallel()
	p := pack(t, material(t, "x"), options(t, "es"))
	readme := string(file(t, p, evidence.ReadmeFile))
	for _, f := range p.Files[:len(p.Files)-1] {
		if line := fmt.Sprintf("%x  %s\n", sha256.Sum256(f.Body), f.Name); !strings.Contains(readme, line) {
			t.Errorf("README.txt lacks %q", line)
		}
	}
	if p.Files[len(p.Files)-1].Name != evidence.ReadmeFile || len(p.Files) != 5 {
		t.Errorf("the pack has %d files", len(p.Files))
	}
}

func TestTheBundleHoldsFiguresAndDecisions(t *testing.T) {
	t.Parallel()
	for audience, flags := range map[release.Audience]int{release.Internal: 1, release.Public: 0} {
		m := material(t, "x")
		m.Audience = audience
		resource, err := r4.Unmarshal(file(t, pack(t, m, options(t, "en")), evidence.BundleFile))
		if err != nil {
			t.Fatalf("Unmarshal() = %v", err)
		}
		got, seen := map[string]int{}, map[string]bool{}
		for _, e := range resource.GetBundle().GetEntry() {
			url := e.GetFullUrl().GetValue()
			if url == "" || seen[url] {
				t.Errorf("the address %q is none, or that of two", url)
			}
			seen[url] = true
			r := e.GetResource()
			for kind, there := range map[string]bool{
				"MeasureReport": r.GetMeasureReport() != nil, "Questionnaire": r.GetQuestionnaire() != nil,
				"QuestionnaireResponse": r.GetQuestionnaireResponse() != nil, "Task": r.GetTask() != nil,
				"Goal": r.GetGoal() != nil, "Flag": r.GetFlag() != nil,
			} {
				if there {
					got[kind]++
				}
			}
		}
		want := map[string]int{
			"MeasureReport": len(m.Results), "Questionnaire": 1, "QuestionnaireResponse": 1, "Task": 1, "Goal": 1,
		}
		if flags > 0 {
			want["Flag"] = flags
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s bundle (-want +got):\n%s", audience, diff)
		}
	}
}

func TestWhatIsPartialIsNamed(t *testing.T) {
	t.Parallel()
	m := material(t, "x")
	m.Results[0].Complete = false
	m.Info.Loads[0].Complete = false
	m.Info.DataAsOf = year(t, "2025").End.AddDate(0, -2, 0)
	m.QualityMissing, m.Completeness = true, nil
	m.Withheld = []string{"length-of-stay"}
	said := text(page(t, pack(t, m, options(t, "en"))))
	for _, want := range []string{
		"Partial data: not everything that “Inequity asked of harm events” needs was loaded.",
		"Partial data: the patients of ehr were not loaded whole.",
		"The data end on October 31, 2025, before the period (2025) is over.",
		"it was made by an earlier version of the program",
		"“Length of hospital stay” is not given to these readers for this period.",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// An empty material makes a pack as well, which says of everything that it is not there.
func TestNothingIsSaidToBeNothing(t *testing.T) {
	t.Parallel()
	m := evidence.Material{Period: year(t, "2025"), Audience: release.Internal, Made: made}
	said := text(page(t, pack(t, m, options(t, "en"))))
	for _, want := range []string{
		"No assessment has been begun", "No action is open", "The reviews could not be read",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	m.Reviews = &evidence.Reviews{Tally: review.Tally{Events: 3}}
	said = text(page(t, pack(t, m, options(t, "en"))))
	for _, want := range []string{"Of 3 events", "settled for 0", "nothing is known of agreement"} {
		if !strings.Contains(said, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// Each code of actions has words in each language: a code alone tells a reader nothing.
func TestCodesHaveWords(t *testing.T) {
	t.Parallel()
	for _, tag := range words.Languages() {
		w := options(t, tag.String()).Words
		var keys []string
		for _, s := range []action.State{action.Planned, action.InProgress, action.Completed, action.Cancelled} {
			keys = append(keys, "evidence.state."+string(s))
		}
		for _, o := range []action.Outcome{
			action.Reduced, action.NoChange, action.Widened, action.Undetermined, action.NotDone,
		} {
			keys = append(keys, "evidence.outcome."+string(o))
		}
		for _, key := range keys {
			if !w.Has(key) {
				t.Errorf("%s is not said in %v", key, tag)
			}
		}
	}
}

func TestWritePutsAPackInItsPlaceWhole(t *testing.T) {
	t.Parallel()
	p := usual(t)
	parent := t.TempDir()
	folder := filepath.Join(parent, "evidence-2025")
	if err := p.Write(folder); err != nil {
		t.Fatalf("Write() = %v", err)
	}
	for _, f := range p.Files {
		body, err := os.ReadFile(filepath.Join(folder, f.Name))
		if err != nil || !bytes.Equal(body, f.Body) {
			t.Errorf("%s: %d bytes of %d, %v", f.Name, len(body), len(f.Body), err)
		}
	}
	if err := p.Write(folder); !errors.Is(err, evidence.ErrThere) {
		t.Errorf("Write() over another = %v", err)
	}
	left := func() []string {
		entries, err := os.ReadDir(parent)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	if diff := cmp.Diff([]string{"evidence-2025"}, left()); diff != "" {
		t.Errorf("what is left (-want +got):\n%s", diff)
	}
	// A name that no file can have stops the third file: nothing may be left of the first two.
	bad := evidence.Pack{Files: append(slices.Clone(p.Files[:2]), evidence.File{Name: "no/such/folder"})}
	if err := bad.Write(filepath.Join(parent, "other")); err == nil {
		t.Error("Write() of a file that cannot be is no error")
	}
	if diff := cmp.Diff([]string{"evidence-2025"}, left()); diff != "" {
		t.Errorf("what is left of a pack that failed (-want +got):\n%s", diff)
	}
	if err := p.Write(filepath.Join(parent, "missing", "pack")); err == nil {
		t.Error("Write() into a folder that is not there is no error")
	}
}
