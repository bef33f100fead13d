// Package chart draws the pictures of the dashboard, as SVG and as PNG.
//
// It knows nothing of measures: a picture is plain data, and every word in it was put there by the
// caller, in the language of the reader. It is pure: equal data give equal bytes.
//
// A picture is composed once, into a list of shapes, and that list is what both forms draw; so they
// cannot disagree. An SVG stands alone: colours are attributes of its elements. Classes stand beside
// them, by which a style sheet that includes CSS gives the colours of the dark scheme and of print.
// Colour is never the only sign: what differs in colour differs in shape, filling, dash or hatch too.
package chart
