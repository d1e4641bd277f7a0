package data

import "strings"

// englishStopWords lists the function words that stop_words: english leaves out: the commonest articles, pronouns,
// auxiliaries, prepositions and conjunctions. Negations and question words stay in, because they carry intent.
// The list is part of the encoding: a change would break every model that was trained with it.
func englishStopWords() []string {
	return strings.Fields(`
		a an the this that these those there
		i me my we us our you your he him his she her it its they them their
		am is are was were be been being do does did have has had
		will would can could should
		of to in on at by for from with about as into
		and or but if so than then
	`)
}
