package bulk

import "bytes"

// lineCounter counts lines that are not blank, and refuses a page of markup: a sign-in page with
// status 200 would otherwise pass for a file of one bad line.
type lineCounter struct {
	n       int64
	content bool // in the current line
	begun   bool // any content so far
}

// blank is what a line may hold and still be blank.
const blank = " \t\r"

// Write counts the lines that end in p.
func (c *lineCounter) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		line, after, ended := bytes.Cut(rest, []byte{'\n'})
		if !c.content {
			if text := bytes.TrimLeft(line, blank); len(text) > 0 {
				c.content = true
				if !c.begun && text[0] == '<' {
					return 0, errMarkup
				}
				c.begun = true
			}
		}
		if ended {
			c.end()
		}
		rest = after
	}
	return len(p), nil
}

// end closes the current line.
func (c *lineCounter) end() {
	if c.content {
		c.n++
	}
	c.content = false
}

// total counts a last line without a newline too.
func (c *lineCounter) total() int64 {
	c.end()
	return c.n
}
