package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/equitylens/equitylens/server/chart"
)

//go:embed assets/*.css assets/mark.svg assets/live.js
var files embed.FS

// boardStyles are the parts of the style sheet that the dashboard adds: one for all of its pages, which
// comes first, and one for each that has rules of its own.
func boardStyles() ([]string, error) {
	names, err := fs.Glob(files, "assets/*.css")
	if err != nil {
		return nil, fmt.Errorf("page: list the styles: %w", err)
	}
	const first = "assets/board.css"
	return append([]string{first}, slices.DeleteFunc(names, func(name string) bool {
		return name == first || name == "assets/app.css"
	})...), nil
}

// AssetPath is where the handler of Assets has to be mounted.
const AssetPath = "/assets/"

// assets holds the files that pages refer to, by names that change with their content.
type assets struct {
	style, mark string
	// live is the script of the page on which something goes on.
	live string
	held map[string]asset
}

// asset is a file as it goes out, plain and compressed.
type asset struct{ plain, zipped []byte }

// zip compresses a file as far as it goes: it is done once.
func zip(content []byte) (asset, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return asset{}, fmt.Errorf("page: compress an asset: %w", err)
	}
	_, err = w.Write(content)
	if err := errors.Join(err, w.Close()); err != nil {
		return asset{}, fmt.Errorf("page: compress an asset: %w", err)
	}
	return asset{content, out.Bytes()}, nil
}

func newAssets() (*assets, error) {
	a := &assets{held: map[string]asset{}}
	for name, at := range map[string]*string{"app.css": &a.style, "mark.svg": &a.mark, "live.js": &a.live} {
		content, err := files.ReadFile("assets/" + name)
		if err != nil {
			return nil, fmt.Errorf("page: read an asset: %w", err)
		}
		if at == &a.style {
			parts, err := boardStyles()
			if err != nil {
				return nil, err
			}
			for _, part := range parts {
				board, err := files.ReadFile(part)
				if err != nil {
					return nil, fmt.Errorf("page: read the style of the dashboard: %w", err)
				}
				content = slices.Concat(content, board)
			}
			content = slices.Concat(content, []byte(chart.CSS()))
		}
		const length = 8 // Enough to tell every version apart.
		sum := sha256.Sum256(content)
		stem, ending, _ := strings.Cut(name, ".")
		*at = AssetPath + stem + "." + hex.EncodeToString(sum[:length]) + "." + ending
		if a.held[*at], err = zip(content); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// Assets serves the style sheet and the mark below AssetPath. A name stands for one content for ever, so
// that a browser asks once.
func (p *Pages) Assets() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, ok := p.assets.held[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Content-Type", mime.TypeByExtension(path.Ext(r.URL.Path)))
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Vary", "Accept-Encoding")
		body := content.plain
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			body = content.zipped
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	})
}
