package page

import "github.com/equitylens/equitylens/server/words"

// The addresses that every page for people leads to.
const (
	OverviewPath    = "/"
	DefinitionsPath = "/measures"
	ComparePath     = "/compare"
	QualityPath     = "/quality"
	ReviewsPath     = "/reviews"
	ActionsPath     = "/actions"
	ReadinessPath   = "/readiness"
	NetworkPath     = "/network"
	AccountPath     = "/account"
)

// Places says which pages somebody may open.
type Places struct {
	// Figures are the measures; Data how the data are; Reviews those of harm events; Improve actions,
	// the self-assessment and, if there is one, the network.
	Figures, Data, Reviews, Improve, Network bool
}

// Nav leads to the places, from a finding to what is done about it. here is the page that is shown;
// address makes the address of another one, with what the reader chose and takes along.
func (p Places) Nav(w *words.Words, here string, address func(path string) string) []Link {
	var links []Link
	for _, place := range []struct {
		path, key string
		may       bool
	}{
		{OverviewPath, "board.overview", p.Figures},
		{DefinitionsPath, "board.definitions", p.Figures},
		{ComparePath, "board.compare", p.Figures},
		{QualityPath, "board.quality", p.Data},
		{ReviewsPath, "board.reviews", p.Reviews},
		{ActionsPath, "board.actions", p.Improve},
		{ReadinessPath, "board.readiness", p.Improve},
		{NetworkPath, "board.network", p.Improve && p.Network},
		{AccountPath, "board.account", true},
	} {
		if place.may {
			links = append(links, Link{
				Text: w.Say(place.key), URL: address(place.path), Current: place.path == here,
			})
		}
	}
	return links
}
