package mapping

import (
	"time"

	"github.com/equitylens/equitylens/fhir"
)

// Age bands, of completed years: those in which CMS reports.
const (
	Age0To17  = "0-17"
	Age18To44 = "18-44"
	Age45To64 = "45-64"
	Age65To74 = "65-74"
	Age75To84 = "75-84"
	Age85Up   = "85+"
)

// AgeBands lists the bands in order.
func AgeBands() []string {
	return []string{Age0To17, Age18To44, Age45To64, Age65To74, Age75To84, Age85Up}
}

// AgeAt returns the completed years on a day, in days since 1970-01-01. Who was born on 29 February
// has a birthday on 1 March in other years. It is not ok without a full birth date, or on a day
// before it.
func AgeAt(birth fhir.DateTime, onDay int32) (years int, ok bool) {
	if birth.Precision < fhir.Day || birth.Days > onDay {
		return 0, false
	}
	return completedYears(birth.Days, onDay), true
}

// AgeBand returns the age band on a day, in days since 1970-01-01. A birth date of a year or a
// month bounds the age: if both bounds fall in one band that is it, else it is Unknown. So is the
// band on a day before the birth, which BornAfter tells apart.
func AgeBand(birth fhir.DateTime, onDay int32) Value {
	const element = "Patient.birthDate"
	if birth.Precision == fhir.NoDate {
		return Value{State: Missing}
	}
	if BornAfter(birth, onDay) {
		return Value{State: Unknown, From: element}
	}
	oldest := ageBand(completedYears(birth.Days, onDay))
	youngest := ageBand(completedYears(min(birth.LastDay(), onDay), onDay))
	if oldest != youngest {
		return Value{State: Unknown, From: element}
	}
	return Value{State: Known, Code: oldest, From: element}
}

// BornAfter reports whether every day that birth may mean lies after a day, in days since
// 1970-01-01: a fault in one of the two records, which whoever joins them counts as BirthAfterDay.
func BornAfter(birth fhir.DateTime, onDay int32) bool {
	return birth.Precision != fhir.NoDate && birth.Days > onDay
}

func ageBand(years int) string {
	switch {
	case years < 18:
		return Age0To17
	case years < 45:
		return Age18To44
	case years < 65:
		return Age45To64
	case years < 75:
		return Age65To74
	case years < 85:
		return Age75To84
	}
	return Age85Up
}

// completedYears counts the birthdays from one day to a later one.
func completedYears(from, to int32) int {
	fromYear, fromMonth, fromDay := civil(from)
	toYear, toMonth, toDay := civil(to)
	years := toYear - fromYear
	if toMonth < fromMonth || toMonth == fromMonth && toDay < fromDay {
		years--
	}
	return years
}

func civil(day int32) (int, time.Month, int) {
	const secondsPerDay = 86400
	return time.Unix(int64(day)*secondsPerDay, 0).UTC().Date()
}
