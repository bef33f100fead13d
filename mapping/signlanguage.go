package mapping

import "sort"

// signLanguages are the primary subtags of sign languages, sorted, four bytes each: the extended
// language subtags whose prefix is sgn in the IANA language subtag registry of 2025-08-25, and sgn
// itself, the collective code.
const signLanguages = "" +
	"ads aed aen afg ajs ase asf asp asq asw bfi bfk bog bqn bqy bvl bzs cds csc csd cse csf " +
	"csg csl csn csq csr csx doq dse dsl dsz ecs ehs esl esn eso eth fcs fse fsl fss gds gse " +
	"gsg gsm gss gus hab haf hds hks hos hps hsh hsl icl iks ils inl ins ise isg isr jcs jhs " +
	"jks jls jos jsl jus kgi kvk lbs lgs lls lsb lsc lsg lsl lsn lso lsp lst lsv lsw lsy lws " +
	"mdl mfs mre msd msr mzc mzg mzy nbs ncs nsi nsl nsp nsr nzs okl pgz pks prl prz psc psd " +
	"psg psl pso psp psr pys rib rms rnb rsi rsl rsm rsn sdl sfb sfs sgg sgn sgx slf sls sqk sqs " +
	"sqx ssp ssr svk swl syy szs tse tsm tsq tss tsy tza ugn ugy ukl uks vgt vsi vsl vsv wbs " +
	"xki xml xms yds ygs yhs ysl ysm zib zsl "

const signWidth = len("ase ")

// signLanguage reports whether a primary subtag is that of a sign language.
func signLanguage(code string) bool {
	if len(code) != signWidth-1 {
		return false
	}
	n := len(signLanguages) / signWidth
	i := sort.Search(n, func(i int) bool { return signAt(i) >= code })
	return i < n && signAt(i) == code
}

func signAt(i int) string { return signLanguages[i*signWidth : (i+1)*signWidth-1] }

// signByRegion returns what the IANA registry prefers to a tag such as sgn-US, whose region names
// the language; "" if it knows none.
func signByRegion(region string) string {
	switch region {
	case "us":
		return "ase"
	case "br":
		return "bzs"
	case "co":
		return "csn"
	case "de":
		return "gsg"
	case "dk":
		return "dsl"
	case "es":
		return "ssp"
	case "fr":
		return "fsl"
	case "gb":
		return "bfi"
	case "gr":
		return "gss"
	case "ie":
		return "isg"
	case "it":
		return "ise"
	case "jp":
		return "jsl"
	case "mx":
		return "mfs"
	case "ni":
		return "ncs"
	case "nl":
		return "dse"
	case "no":
		return "nsl"
	case "pt":
		return "psr"
	case "se":
		return "swl"
	case "za":
		return "sfs"
	}
	return ""
}
