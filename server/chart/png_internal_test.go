package chart

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"
	"testing"
)

// pixels draws a picture.
func pixels(t *testing.T, c Chart, o Options) image.Image {
	t.Helper()
	canvas, err := paintPixels(lay(c, o))
	if err != nil {
		t.Fatalf("draw the pixels of %T: %v", c, err)
	}
	return canvas.Image()
}

// What is written is a PNG of what was drawn, every pixel of it.
func TestPNGIsRead(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := PNG(&b, sparkline(), Options{Width: 90}); err != nil {
		t.Fatalf("PNG: %v", err)
	}
	got, err := png.Decode(&b)
	if err != nil {
		t.Fatalf("decode the PNG: %v", err)
	}
	want := pixels(t, sparkline(), Options{Width: 90})
	if got.Bounds() != want.Bounds() || got.Bounds() != image.Rect(0, 0, 180, 2*sparkHeight) {
		t.Fatalf("the PNG is %v, what was drawn %v", got.Bounds(), want.Bounds())
	}
	for y := range got.Bounds().Dy() {
		for x := range got.Bounds().Dx() {
			if !alike(got.At(x, y), want.At(x, y)) {
				t.Fatalf("at %d, %d is %v, drawn was %v", x, y, got.At(x, y), want.At(x, y))
			}
		}
	}
}

// alike reports whether two colours are the same but for what smoothing does.
func alike(a, b color.Color) bool {
	ar, ag, ab, _ := a.RGBA()
	br, bg, bb, _ := b.RGBA()
	for _, pair := range [][2]uint32{{ar, br}, {ag, bg}, {ab, bb}} {
		if math.Abs(float64(pair[0])-float64(pair[1])) > 0x1800 {
			return false
		}
	}
	return true
}

// The pixels show what the list of shapes says: every mark is in its place, in its colour.
func TestPixelsAgreeWithShapes(t *testing.T) {
	t.Parallel()
	for name, c := range every() {
		o := Options{Width: Narrow}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, img := lay(c, o), pixels(t, c, o)
			if w, h := img.Bounds().Dx(), img.Bounds().Dy(); w != int(2*s.width) || h != int(2*s.height()) {
				t.Errorf("%d by %d pixels, want two to each of %v by %v units", w, h, s.width, s.height())
			}
			all, checked := flat(s.shapes), 0
			for i, one := range all {
				at, want, ok := core(one)
				if !ok || covered(s, all[i+1:], at) {
					continue
				}
				checked++
				if got := img.At(int(2*at.x), int(2*at.y)); !alike(got, rgb(want)) {
					t.Errorf("at %v is %v, want %s of %+v", at, got, palette[want].name, one)
				}
			}
			if checked < 2 {
				t.Errorf("only %d marks could be looked at", checked)
			}
		})
	}
}

// core is a place in a shape that has its fill, if it has one.
func core(one shape) (point, colour, bool) {
	switch one := one.(type) {
	case disc:
		return one.at, one.fill, one.fill != none && one.r > 2
	case box:
		return point{one.x + one.w/2, one.y + one.h/2}, one.fill, one.fill != none && one.w > 3
	case trace:
		if !one.closed || len(one.parts) != 1 || len(one.parts[0]) != 4 {
			return point{}, none, false
		}
		p := one.parts[0]
		return point{(p[0].x + p[2].x) / 2, (p[0].y + p[2].y) / 2}, one.fill, one.fill != none
	default:
		return point{}, none, false
	}
}

// covered reports whether a later shape may lie over a place.
func covered(s *sheet, later []shape, at point) bool {
	const near = 2
	for _, one := range later {
		if b, frame := one.(box); frame && b.fill == none {
			continue
		}
		low, high, ok := reachOf(s, one)
		if ok && at.x > low.x-near && at.x < high.x+near && at.y > low.y-near && at.y < high.y+near {
			return true
		}
	}
	return false
}

// The words are in the pixels too: without them there is less ink.
func TestPixelsHaveWords(t *testing.T) {
	t.Parallel()
	dark := func(c Chart) (n int) {
		img := pixels(t, c, Options{Width: Narrow})
		for y := range img.Bounds().Dy() {
			for x := range img.Bounds().Dx() {
				if r, _, _, _ := img.At(x, y).RGBA(); r < 0x6000 {
					n++
				}
			}
		}
		return n
	}
	if with, without := dark(dotPlot()), dark(saying(" ")["dotplot"]); with < without+1000 {
		t.Errorf("%d dark pixels with words, %d without", with, without)
	}
}

func TestTooLargeForPixels(t *testing.T) {
	t.Parallel()
	c := DotPlot{Rows: make([]Row, 900)}
	var b bytes.Buffer
	if err := PNG(&b, c, Options{}); !errors.Is(err, ErrTooLarge) || b.Len() > 0 {
		t.Errorf("PNG of 900 rows: %d bytes and %v, want %v", b.Len(), err, ErrTooLarge)
	}
	if err := SVG(&b, c, Options{}); err != nil {
		t.Errorf("SVG of 900 rows: %v", err)
	}
}

var errFull = errors.New("no space left")

// full is a disk that takes nothing more.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWhatCannotBeWrittenIsSaid(t *testing.T) {
	t.Parallel()
	if err := SVG(full{}, sparkline(), Options{}); !errors.Is(err, errFull) || !strings.HasPrefix(err.Error(), "write svg: ") {
		t.Errorf("SVG: %v, want %v", err, errFull)
	}
	if err := PNG(full{}, sparkline(), Options{}); !errors.Is(err, errFull) || !strings.HasPrefix(err.Error(), "write png: ") {
		t.Errorf("PNG: %v, want %v", err, errFull)
	}
}
