package figure

import (
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server/words"
)

// monthLayout is how package gap names a month.
const monthLayout = "2006-01"

// month writes the name of a month; what is none is said as it stands.
func (t *Teller) month(name string) string {
	at, err := time.Parse(monthLayout, name)
	if err != nil {
		return words.Plain(name)
	}
	return t.w.Say("date.month", t.w.Month(at.Month()), strconv.Itoa(at.Year()))
}

// shortMonth writes a month below an axis, where there is little room.
func (t *Teller) shortMonth(name string) string {
	at, err := time.Parse(monthLayout, name)
	if err != nil {
		return words.Plain(name)
	}
	return t.w.Say("time.short", t.w.Say("time.short."+strconv.Itoa(int(at.Month()))), strconv.Itoa(at.Year()))
}

// months writes a stretch of whole months, so that it can stand after a colon or alone: a month, a
// quarter or a year by its name, else its first and its last month.
func (t *Teller) months(from, to string) string {
	first, err1 := time.Parse(monthLayout, from)
	last, err2 := time.Parse(monthLayout, to)
	if err1 != nil || err2 != nil || from == to {
		return t.month(from)
	}
	const months = 12
	count := (last.Year()-first.Year())*months + int(last.Month()-first.Month()) + 1
	begins := int(first.Month()) - 1
	if count == months && begins == 0 || count == 3 && begins%3 == 0 {
		return t.w.Period(measure.Period{Start: first, End: last.AddDate(0, 1, -1)})
	}
	return t.w.Say("time.months", t.month(from), t.month(to))
}

// longestCode is how long a code may be to stand in an ID as it is.
const longestCode = 48

// idOf joins the name of a figure and a code, such as time and es. A code of which an address or the name
// of a file would need another form is shortened to what is safe, with a sum that keeps two of them
// apart. Everybody has no code. What is not known is in a state, which no code begins like.
func idOf(name, code, state string) string {
	if code == "" && state != "" && state != string(mapping.Known) {
		return name + "-~" + state
	}
	if code == "" {
		return name
	}
	safe := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '.', r == '_':
			return r
		}
		return '_'
	}, code)
	if safe == code && len(code) <= longestCode {
		return name + "-" + code
	}
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(code)) // It never fails.
	return name + "-" + safe[:min(len(safe), longestCode)] + "-" + strconv.FormatUint(sum.Sum64(), 36)
}

// list joins names as within a sentence. In Spanish what stands before the sound of i is "e".
func (t *Teller) list(names []string) string {
	if len(names) == 0 {
		return ""
	}
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	key := "time.and"
	if first := strings.ToLower(names[last]); strings.HasPrefix(first, "i") ||
		strings.HasPrefix(first, "hi") && !strings.HasPrefix(first, "hie") {
		key = "time.and.i"
	}
	return t.w.Say(key, strings.Join(names[:last], ", "), names[last])
}
