package main

import (
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
)

// shellCommand is a call of dptrain as it can be pasted into a shell: each word is quoted where the shell would read
// something else in it.
func shellCommand(words ...string) string {
	quoted := []string{"dptrain"}
	for _, word := range words {
		quoted = append(quoted, shellWord(word))
	}
	return strings.Join(quoted, " ")
}

// shellWord is a word in single quotes, or as it stands where no shell minds; what cannot be seen is escaped as bash, zsh
// and ksh read it.
func shellWord(word string) string {
	plain := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("@%+=:,./_-", r) || r == filepath.Separator
	}
	switch {
	case word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0:
		return word
	case strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsPrint(r) }):
		escaped := strconv.Quote(word)
		return "$'" + strings.ReplaceAll(escaped[1:len(escaped)-1], "'", `\'`) + "'"
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// shellPath is a path as the argument of a command: one that begins with - would be read as a flag.
func shellPath(path string) string {
	if strings.HasPrefix(path, "-") {
		return "." + string(filepath.Separator) + path
	}
	return path
}
