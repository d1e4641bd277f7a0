package train

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"dptrain/internal/privacy/accounting"
)

// The linter's rules. Each looks at the config alone; they guess, and so they warn and never refuse.

func (p *Plan) findIdentifiers() []Warning {
	var found []Warning
	for i, f := range p.Schema.Spec().Features {
		if LooksLikeIdentifier(f.Name) {
			found = append(found, warning(codeIdentifier, featureKey(i, "name"),
				"%q looks like an identifier: it tells nothing of other people, and takes its share of the noise", f.Name))
		}
	}
	return found
}

func (p *Plan) findManyRows() []Warning {
	if p.Privacy.MaxRowsPerPerson > 0 {
		return nil
	}
	spec := p.Schema.Spec()
	if spec.Split != nil && LooksLikeIdentifier(spec.Split.By) {
		return []Warning{warning(codeManyRows, "privacy.unit",
			"unit is row, but rows are split by %q: a person with several rows is promised less than ε", spec.Split.By)}
	}
	for i, f := range spec.Features {
		if LooksLikeIdentifier(f.Name) {
			return []Warning{warning(codeManyRows, "privacy.unit",
				"unit is row, but feature %d is called %q: a person with several rows is promised less than ε", i, f.Name)}
		}
	}
	return nil
}

func (p *Plan) findDelta() []Warning {
	rows := float64(p.Slots())
	if p.Noiseless() || p.Privacy.Delta < 1/rows {
		return nil
	}
	return []Warning{warning(codeDelta, "privacy.delta",
		"delta is %v, at least 1/rows = %.3g: at such a delta a mechanism may publish whole records", p.Privacy.Delta, 1/rows)}
}

func (p *Plan) findEpsilon() []Warning {
	if p.Claim.Upper <= 10 {
		return nil
	}
	key := "privacy.target_epsilon"
	if p.Privacy.TargetEpsilon == nil {
		key = "privacy.noise_multiplier"
	}
	return []Warning{warning(codeEpsilon, key, "epsilon is %s: above 10 the formal protection is weak", accounting.FormatUp(p.Claim.Upper, 4))}
}

func (p *Plan) findCopied() []Warning {
	var found []Warning
	look := func(key string, values ...*float64) {
		for _, v := range values {
			if v != nil && looksMeasured(*v) {
				found = append(found, warning(codeCopied, key, "%v has many digits: a value that is copied from a record is published", *v))
				return
			}
		}
	}
	for i, f := range p.Schema.Spec().Features {
		look(featureKey(i, "min"), f.Min)
		look(featureKey(i, "max"), f.Max)
		look(featureKey(i, "impute"), f.Impute)
		for j := range f.Edges {
			look(fmt.Sprintf("%s[%d]", featureKey(i, "edges"), j), &f.Edges[j])
		}
	}
	return found
}

// leastSignal is the rows × μ for each class below which a warning is due; see the advice on it.
const leastSignal = 50

func (p *Plan) findSignal() []Warning {
	mu := p.mu()
	if mu == 0 {
		return nil // no μ to tell of; calibration has said what is wrong, if anything is
	}
	classes := len(p.Schema.Classes())
	if signal := float64(p.Slots()) * mu / float64(classes); signal < leastSignal {
		return []Warning{warning(codeSignal, "data.label.classes",
			"rows × μ ÷ classes is %.3g, below %d: much of what a model of %d classes learns here is noise", signal, leastSignal, classes)}
	}
	return nil
}

func (p *Plan) findPersonal() []Warning {
	var found []Warning
	spec := p.Schema.Spec()
	look := func(key, what string, values []string) {
		if i := slices.IndexFunc(values, looksPersonal); i >= 0 {
			found = append(found, warning(codePersonal, fmt.Sprintf("%s[%d]", key, i), "%s looks like a name, an address or a number of a person, and becomes public", what))
		}
	}
	if LooksLikeIdentifier(spec.Label.Name) {
		found = append(found, warning(codePersonal, "data.label.name", "%q looks like an identifier, and its classes become public", spec.Label.Name))
	}
	look("data.label.classes", "a class", spec.Label.Classes)
	for i, f := range spec.Features {
		look(featureKey(i, "values"), "a value", f.Values)
	}
	return found
}

func (p *Plan) findExactCap() []Warning {
	if p.RowsAtMost == 0 || significantDigits(float64(p.RowsAtMost)) < 4 {
		return nil
	}
	return []Warning{warning(codeExactCap, "data.rows_at_most", "%d looks counted: a cap that is the exact number of rows publishes it", p.RowsAtMost)}
}

func (p *Plan) findNoPrivacy() []Warning {
	if !p.Noiseless() {
		return nil
	}
	return []Warning{warning(codeNoPrivacy, "", "trained without privacy: the model may reveal whole records")}
}

// featureKey is the path of a key of feature i.
func featureKey(i int, name string) string { return fmt.Sprintf("data.features[%d].%s", i, name) }

// LooksLikeIdentifier reports whether a column's name is one that people give to what belongs to one person.
func LooksLikeIdentifier(name string) bool {
	words := nameWords(name)
	if len(words) == 0 {
		return false
	}
	last := words[len(words)-1]
	switch last {
	case "id", "ids", "uid", "uuid", "guid", "ssn", "nino", "mrn", "iban", "imei", "email", "mail", "phone", "telephone", "mobile", "passport",
		"surname", "lastname", "firstname", "fullname", "username", "userid", "address", "ip", "dob", "birthdate", "birthday":
		return true
	case "name":
		return len(words) == 1 || slices.Contains([]string{"first", "last", "full", "given", "family", "user", "customer", "patient", "person"}, words[len(words)-2])
	case "number", "no":
		return len(words) > 1 && slices.Contains([]string{"account", "card", "phone", "passport", "customer", "patient", "policy", "security", "insurance"}, words[len(words)-2])
	case "birth":
		return len(words) > 2 && words[len(words)-3] == "date"
	}
	return false
}

// nameWords splits a column's name into words in lower case: at what is neither letter nor digit, and before a capital
// that follows a small letter.
func nameWords(name string) []string {
	var b strings.Builder
	small := false
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			r = ' '
		case small && unicode.IsUpper(r):
			b.WriteByte(' ')
		}
		small = unicode.IsLower(r)
		b.WriteRune(unicode.ToLower(r))
	}
	return strings.Fields(b.String())
}

// looksMeasured reports whether a declared number has more digits than a person would choose: five or more, unless it
// is one less than a power of two or of ten, as limits of formats and forms are.
func looksMeasured(x float64) bool {
	limit := math.Abs(x) + 1
	_, exponent := math.Frexp(limit)
	return significantDigits(x) >= 5 && limit != math.Ldexp(1, exponent-1) && significantDigits(limit) > 1
}

// significantDigits counts the digits of x between the first and the last that is not 0.
func significantDigits(x float64) int {
	mantissa, _, _ := strings.Cut(strconv.FormatFloat(math.Abs(x), 'e', -1, 64), "e")
	return len(strings.ReplaceAll(mantissa, ".", ""))
}

// looksPersonal reports whether a class or value looks like an e-mail address, a long number or a person's name.
func looksPersonal(text string) bool {
	digits := 0
	for _, r := range text {
		if unicode.IsDigit(r) {
			digits++
		}
	}
	user, host, at := strings.Cut(text, "@")
	words := strings.Fields(text)
	return at && user != "" && strings.Contains(host, ".") ||
		digits >= 7 && digits*2 > len(text) ||
		len(words) > 1 && slices.Contains([]string{"Mr", "Mr.", "Mrs", "Mrs.", "Ms", "Ms.", "Dr", "Dr."}, words[0]) ||
		(len(words) == 2 || len(words) == 3) && slices.Contains(givenNames(), words[0]) && unicode.IsUpper([]rune(words[len(words)-1])[0])
}

// givenNames are frequent given names of several languages.
func givenNames() []string {
	return strings.Fields(`Ahmed Aisha Alexander Ali Alice Amit Ana Andrea Andrew Anna Anthony Antonio Barbara Bob Carlos Carol Charles
		Chen Christine Christopher Daniel David Deborah Donald Edward Elena Elizabeth Emily Emma Fatima Fatma George Giovanni Hans
		Hassan Helen Ivan Jack James Jane Jean Jennifer Jessica Joan Johann Johannes John Jose Joseph Juan Karen Karl Kenneth Klaus
		Laura Laurent Lisa Luis Marco Margaret Maria Marie Mario Mark Mary Matthew Mehmet Michael Michel Mohamed Mohammed Muhammad
		Nancy Nathalie Olga Patricia Paul Pedro Peter Pierre Priya Rahul Richard Robert Sandra Sarah Sergei Sofia Stefan Steven Susan
		Thomas Ursula Wei William Wolfgang Yusuf`)
}
