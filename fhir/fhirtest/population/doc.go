// Package population makes up the patients, encounters and adverse events of five hospitals from a
// seed: any number of people, in flat memory, with inequities of known size and with the messy
// shapes of real records.
//
// A person is drawn from (seed, index) alone, so any of them can be made again at any time, in any
// order, and nothing is stored. What happens after AsOf is not drawn, and what happens before does
// not depend on AsOf: Next is the same population some days later.
//
// # Planted inequities
//
// The generator draws with the probabilities below (sizes.go). A finite population realises them
// with the noise that any hospital has; Planted counts what came out, in the generator's own state
// and by the definitions of the measures, so that a reader of the export must find exactly that.
//
//	measure                     stratum                    intended        reference      intended
//	real-completeness/race      site Hillcrest             0.76 recorded   Main Campus    0.95
//	real-completeness/ethnicity site Riverside             0.78            Main Campus    0.94
//	real-completeness/language  race Asian                 0.80            White          0.95
//	real-completeness/
//	  interpreter-need          language other             0.70            English        0.90
//	language-recorded           race Asian                 0.80            White          0.95
//	interpreter-documented      language other             0.36            Spanish        0.62
//	telehealth-share            language Spanish           0.14            English        0.28
//	telehealth-share            age 75-84                  0.55 times that of 18-44
//	ed-left-without-being-seen  race Black                 0.068           White          0.030
//	ed-stay-over-8h             ethnicity Hispanic         0.24            not Hispanic   0.15
//	ed-boarding-over-4h         interpreter need yes       0.48            no             0.28
//	readmission-30-day          race Black                 0.22            White          0.13
//	length-of-stay (median)     language Spanish           5 days          English        4 days
//	harm-per-1000-days          language Spanish           48              English        22
//	reporting-ratio             language Spanish           0.18            English        0.42
//	inequity-factor-captured    site Hillcrest             0.25            Main Campus    0.60
//	inequity-factor-captured/
//	  yes                       race Black                 0.55 of answers White          0.22
//
// Unknown and declined answers, which the mess adds, lower the recorded shares a little;
// corrections over time raise them.
//
// # Mess
//
// Unless Config.Clean is set, small shares of the records have the shapes that real ones have.
// Race: several categories, declined, UNK, ASKU, a detailed code beside or instead of the
// category, the retired v3-Race system, the DSTU2 shape, text alone, local codes known and unknown
// to ConceptMap, ethnicity among the races, a repeated extension, a known race beside UNK.
// Language: no flag, a region, three letters, an old system, sgn-US, several without a flag, two
// preferred, one not preferred, und, text alone. Interpreter need: coded, boolean, SNOMED
// situations, on the encounters alone, UNK, contradictory. Encounters: local classes, three
// systems of dispositions, periods without start, end or time of day, four forms of reference,
// cancelled, planned and entered-in-error. Records: merged patients, orphans, partial birth dates,
// stale copies beside current versions, corrections, withdrawals, events about a group or a
// practitioner, events dated outside their stay.
//
// Where the definition of a measure leaves open what a messy unit means, the generator avoids it:
// an encounter that is paired with another keeps its period, two reasons to seek care lie two days
// apart, and after a planned admission within 30 days of a discharge no other follows in that
// window.
package population
