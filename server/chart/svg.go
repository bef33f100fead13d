package chart

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
)

// writeSVG writes a picture. The ids in it are made of its content, so that two pictures in a page
// share none unless they are the same.
func writeSVG(b *bytes.Buffer, m Meta, s *sheet) {
	var body svgWriter
	body.shapes(s.shapes)
	title, description := clean(m.Title), clean(m.Description)
	if title == "" {
		title, description = description, ""
	}
	sum := sha256.New()
	for _, part := range []string{title, description, num(s.width), body.text.String()} {
		_, _ = sum.Write([]byte(part + "\x00"))
	}
	id := "chart-" + hex.EncodeToString(sum.Sum(nil)[:8])

	var w svgWriter
	w.write(`<svg xmlns="http://www.w3.org/2000/svg"`)
	w.attr("class", "chart")
	w.attr("viewBox", "0 0 "+num(s.width)+" "+num(s.height()))
	w.attr("width", num(s.width))
	w.attr("height", num(s.height()))
	if lang := tag(m.Lang); lang != "" {
		w.attr("lang", lang)
		w.attr("xml:lang", lang)
	}
	if title != "" {
		w.attr("role", "img")
	}
	switch {
	case title == "":
		// A picture that nobody has named is beside words that say the same.
		w.attr("aria-hidden", "true")
	case s.small:
		// Many small pictures stand in one table, and some are the same.
		w.attr("aria-label", strings.TrimSpace(title+" "+description))
	case description != "":
		w.attr("aria-labelledby", id+"-t "+id+"-d")
	default:
		w.attr("aria-labelledby", id+"-t")
	}
	w.attr("direction", "ltr")
	w.attr("font-family", families)
	w.write(">\n")
	switch {
	case title == "":
	case s.small:
		w.element("title", "", title)
	default:
		w.element("title", id+"-t", title)
		if description != "" {
			w.element("desc", id+"-d", description)
		}
	}
	b.Write(w.text.Bytes())
	b.Write(body.text.Bytes())
	b.WriteString("</svg>\n")
}

// svgWriter writes elements.
type svgWriter struct{ text bytes.Buffer }

func (w *svgWriter) write(text string) { w.text.WriteString(text) }

// element writes one that has only text.
func (w *svgWriter) element(name, id, text string) {
	w.write("<" + name)
	if id != "" {
		w.attr("id", id)
	}
	w.write(">" + escape(text) + "</" + name + ">\n")
}

func (w *svgWriter) attr(name, value string) {
	w.write(" " + name + `="` + escape(value) + `"`)
}

func (w *svgWriter) number(name string, value float64) { w.attr(name, num(value)) }

func (w *svgWriter) shapes(all []shape) {
	for _, one := range all {
		switch one := one.(type) {
		case datum:
			w.datum(one)
		case segment:
			w.write("<line")
			w.number("x1", one.from.x)
			w.number("y1", one.from.y)
			w.number("x2", one.to.x)
			w.number("y2", one.to.y)
			w.paint(one.paint)
			w.write("/>\n")
		case box:
			w.write("<rect")
			w.box(one)
			w.paint(one.paint)
			w.write("/>\n")
		case disc:
			w.write("<circle")
			w.number("cx", one.at.x)
			w.number("cy", one.at.y)
			w.number("r", one.r)
			w.paint(one.paint)
			w.write("/>\n")
		case trace:
			w.write("<path")
			w.attr("d", outline(one))
			w.paint(one.paint)
			w.write("/>\n")
		case words:
			w.words(one)
		}
	}
}

func (w *svgWriter) box(b box) {
	w.number("x", b.x)
	w.number("y", b.y)
	w.number("width", b.w)
	w.number("height", b.h)
}

// datum writes a group with the words that browsers show to who points at it.
func (w *svgWriter) datum(d datum) {
	w.write("<g>\n")
	if title := clean(d.title); title != "" {
		w.element("title", "", title)
	}
	if d.reach.w > 0 && d.reach.h > 0 {
		w.write("<rect")
		w.box(d.reach)
		w.write(` fill="none" pointer-events="all"/>` + "\n")
	}
	w.shapes(d.shapes)
	w.write("</g>\n")
}

// paint writes colours, as class and as attribute.
func (w *svgWriter) paint(p paint) {
	var classes []string
	if p.fill != none {
		classes = append(classes, "chart-fill-"+palette[p.fill].name)
	}
	if p.stroke != none {
		classes = append(classes, "chart-line-"+palette[p.stroke].name)
	}
	if len(classes) > 0 {
		w.attr("class", strings.Join(classes, " "))
	}
	if p.fill == none {
		w.attr("fill", "none")
	} else {
		w.attr("fill", palette[p.fill].light)
	}
	if p.stroke == none {
		return
	}
	w.attr("stroke", palette[p.stroke].light)
	if p.width != 1 {
		w.number("stroke-width", p.width)
	}
	if lengths := p.dash.lengths(); lengths != nil {
		parts := make([]string, len(lengths))
		for i, l := range lengths {
			parts[i] = num(l)
		}
		w.attr("stroke-dasharray", strings.Join(parts, " "))
	}
}

func (w *svgWriter) words(t words) {
	if t.text == "" {
		return
	}
	w.write("<text")
	w.number("x", t.at.x)
	w.number("y", t.at.y)
	w.number("font-size", t.size)
	if t.bold {
		w.attr("font-weight", "700")
	}
	switch t.anchor {
	case middle:
		w.attr("text-anchor", "middle")
	case end:
		w.attr("text-anchor", "end")
	case start:
	}
	if t.halo {
		w.paint(paint{fill: t.colour, stroke: paper, width: haloWidth})
		w.attr("stroke-linejoin", "round")
		w.attr("paint-order", "stroke")
	} else {
		w.paint(paint{fill: t.colour})
	}
	w.write(">" + escape(t.text))
	if t.tail != "" {
		w.write("<tspan")
		w.number("dx", tailGap)
		w.number("font-size", smallSize)
		w.attr("font-weight", "400")
		w.paint(paint{fill: soft})
		w.write(">" + escape(t.tail) + "</tspan>")
	}
	w.write("</text>\n")
}

// outline is the d of a path.
func outline(t trace) string {
	var b strings.Builder
	for _, part := range t.parts {
		for i, p := range part {
			if i == 0 {
				b.WriteByte('M')
			} else {
				b.WriteByte('L')
			}
			b.WriteString(num(p.x) + " " + num(p.y))
		}
		if t.closed {
			b.WriteByte('Z')
		}
	}
	return b.String()
}

// num writes a number with at most two decimals.
func num(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "0"
	}
	r := math.Round(v*100) / 100
	if r == 0 {
		return "0"
	}
	return strconv.FormatFloat(r, 'f', -1, 64)
}

// escape makes text inert in an element and in an attribute.
func escape(text string) string {
	if !strings.ContainsAny(text, `&<>"'`) {
		return text
	}
	return strings.NewReplacer(
		"&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;").Replace(text)
}
