// Package catalog holds the measures that ship, one YAML file each.
package catalog

import (
	"embed"
	"io/fs"
)

//go:embed *.yaml
var files embed.FS

// Files returns the definitions, for measure.Load.
func Files() fs.FS { return files }
