package chart

import (
	"encoding/hex"
	"fmt"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
)

const (
	// density is pixels to a user unit, points the user units of an inch as the canvas counts.
	density = 2
	points  = 72
	// mostPixels bounds what a picture may take of memory: 4 bytes each.
	mostPixels = 60_000_000
)

// writePNG writes a picture as pixels.
func writePNG(w io.Writer, s *sheet) error {
	c, err := paintPixels(s)
	if err != nil {
		return err
	}
	if _, err := (vgimg.PngCanvas{Canvas: c}).WriteTo(w); err != nil {
		return fmt.Errorf("write png: %w", err)
	}
	return nil
}

// paintPixels draws a picture on a canvas.
func paintPixels(s *sheet) (*vgimg.Canvas, error) {
	height := s.height()
	if s.width*density*height*density > mostPixels {
		return nil, fmt.Errorf("draw png of %.0f by %.0f: %w", s.width, height, ErrTooLarge)
	}
	c := vgimg.NewWith(vgimg.UseWH(vg.Points(s.width), vg.Points(height)),
		vgimg.UseDPI(points*density), vgimg.UseBackgroundColor(color.White))
	p := pngPainter{canvas: c, height: height, letters: s.letters}
	p.shapes(s.shapes)
	return c, nil
}

// pngPainter draws shapes on a canvas whose y goes upwards.
type pngPainter struct {
	canvas  *vgimg.Canvas
	height  float64
	letters *typesetter
}

func (p *pngPainter) at(a point) vg.Point {
	return vg.Point{X: vg.Points(a.x), Y: vg.Points(p.height - a.y)}
}

func (p *pngPainter) shapes(all []shape) {
	for _, one := range all {
		switch one := one.(type) {
		case datum:
			p.shapes(one.shapes)
		case segment:
			p.draw(p.lines([][]point{{one.from, one.to}}, false), one.paint)
		case box:
			p.draw(p.lines([][]point{{
				{one.x, one.y}, {one.x + one.w, one.y},
				{one.x + one.w, one.y + one.h}, {one.x, one.y + one.h},
			}}, true), one.paint)
		case disc:
			var path vg.Path
			path.Move(p.at(point{one.at.x + one.r, one.at.y}))
			path.Arc(p.at(one.at), vg.Points(one.r), 0, 2*math.Pi)
			path.Close()
			p.draw(path, one.paint)
		case trace:
			p.draw(p.lines(one.parts, one.closed), one.paint)
		case words:
			p.words(one)
		}
	}
}

func (p *pngPainter) lines(parts [][]point, closed bool) vg.Path {
	var path vg.Path
	for _, part := range parts {
		for i, a := range part {
			if i == 0 {
				path.Move(p.at(a))
			} else {
				path.Line(p.at(a))
			}
		}
		if closed && len(part) > 0 {
			path.Close()
		}
	}
	return path
}

func (p *pngPainter) draw(path vg.Path, how paint) {
	if len(path) == 0 {
		return
	}
	if how.fill != none {
		p.canvas.SetColor(rgb(how.fill))
		p.canvas.Fill(path)
	}
	if how.stroke == none {
		return
	}
	p.canvas.SetColor(rgb(how.stroke))
	p.canvas.SetLineWidth(vg.Points(how.width))
	var lengths []vg.Length
	for _, l := range how.dash.lengths() {
		lengths = append(lengths, vg.Points(l))
	}
	p.canvas.SetLineDash(lengths, 0)
	p.canvas.Stroke(path)
}

func (p *pngPainter) words(t words) {
	if t.text == "" {
		return
	}
	at := t.at
	w := p.letters.exact(t.text, t.size, t.bold)
	switch t.anchor {
	case middle:
		at.x -= w / 2
	case end:
		at.x -= w
	case start:
	}
	if t.halo {
		p.canvas.SetColor(rgb(paper))
		const directions = 12
		for i := range directions {
			sin, cos := math.Sincos(2 * math.Pi * float64(i) / directions)
			off := point{at.x + haloWidth/2*cos, at.y + haloWidth/2*sin}
			p.canvas.FillString(p.letters.face(t.size, t.bold), p.at(off), t.text)
		}
	}
	p.canvas.SetColor(rgb(t.colour))
	p.canvas.FillString(p.letters.face(t.size, t.bold), p.at(at), t.text)
	if t.tail != "" {
		at.x += w + tailGap
		p.canvas.SetColor(rgb(soft))
		p.canvas.FillString(p.letters.face(smallSize, false), p.at(at), t.tail)
	}
}

// rgb is the light colour of a role.
func rgb(c colour) color.Color {
	const parts = 3
	b, err := hex.DecodeString(palette[c].light[1:])
	if err != nil || len(b) != parts {
		return color.Black
	}
	return color.RGBA{R: b[0], G: b[1], B: b[2], A: 0xff}
}
