package data

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Stdin is the path that stands for standard input.
const Stdin = "-"

// Files lists the files that paths name, in their order. A path that is no file's, but has a *, ? or [, is a pattern as
// of [filepath.Match]: it names the files that match it, in the order of their names, and at least one. Whether other
// files are there is not looked at.
func Files(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		if _, err := os.Lstat(path); err == nil || path == Stdin || !strings.ContainsAny(path, "*?[") {
			files = append(files, path)
			continue
		}
		matches, err := filepath.Glob(path)
		if err != nil {
			return nil, &Error{File: path, msg: "is not a valid pattern", hint: "* stands for any text, ? for a character, [abc] for one of these"}
		}
		matches = slices.DeleteFunc(matches, isCache)
		if len(matches) == 0 {
			return nil, &Error{File: path, msg: "no file matches", hint: "patterns are matched against names; quote them in a shell"}
		}
		slices.Sort(matches)
		files = append(files, matches...)
	}
	return files, nil
}

// sizeOf is the sum of the files' sizes, or 0 where one of them is not a regular file.
func sizeOf(files []string) int64 {
	var sum int64
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil || !info.Mode().IsRegular() {
			return 0
		}
		sum += info.Size()
	}
	return sum
}
