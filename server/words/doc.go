// Package words says everything that people read, in their language.
//
// The sentences stand in words/<language>/<area>.json, one file for each area and language; the
// catalogues of two languages say the same. Numbers, dates and names of languages follow the locale
// (Unicode CLDR). A text that is somebody else's, such as the name of a site, passes Plain before it is
// shown.
package words
