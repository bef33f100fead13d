package catalog_test

import (
	"testing"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
)

func TestCatalogLoads(t *testing.T) {
	t.Parallel()
	definitions, err := measure.Load(catalog.Files())
	if err != nil {
		t.Fatal(err)
	}
	if len(definitions) != 12 {
		t.Errorf("the catalogue holds %d measures, want 12", len(definitions))
	}
}
