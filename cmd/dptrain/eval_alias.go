package main

import (
	"errors"
	"slices"
	"strings"

	"dptrain/internal/data"
)

// withAliases is the schema under which labels are also read by the spellings of --label-alias. It holds them to what the
// config's data.label.aliases are held to.
func withAliases(schema *data.Schema, args []string) (*data.Schema, error) {
	spec := schema.Spec()
	spec.Label.Aliases = slices.Clone(spec.Label.Aliases)
	for _, arg := range args {
		alias, err := parseAlias(arg, spec.Label.Classes)
		if err != nil {
			return nil, err
		}
		spec.Label.Aliases = append(spec.Label.Aliases, alias)
		next, err := data.NewSchema(spec)
		var bad *data.SpecError
		if errors.As(err, &bad) {
			return nil, usage("name each spelling once, and none that the model knows", "--label-alias %q: the spelling %s", arg, bad.Msg)
		}
		schema = next
	}
	return schema, nil
}

// parseAlias reads FROM=TO. Both may hold any character, so the = divides behind which a class stands.
func parseAlias(arg string, classes []string) (data.Alias, error) {
	var found []data.Alias
	for i, r := range arg {
		if r == '=' && slices.Contains(classes, arg[i+1:]) {
			found = append(found, data.Alias{From: arg[:i], To: arg[i+1:]})
		}
	}
	switch {
	case !strings.Contains(arg, "="):
		return data.Alias{}, usage(`such as --label-alias "yes.=yes"`, "--label-alias is %q, want spelling=class", arg)
	case len(found) == 0:
		return data.Alias{}, usage("the model's classes are "+strings.Join(classes, ", "), "--label-alias %q names no class of the model behind an =", arg)
	case len(found) > 1:
		return data.Alias{}, usage("state data.label.aliases in the config of the model",
			"--label-alias %q may mean %q for the class %q, or %q for %q", arg, found[0].From, found[0].To, found[1].From, found[1].To)
	}
	return found[0], nil
}

// hintAtAlias adds to an unknown label what eval can do about it: the hint of the table's own speaks of the config.
func hintAtAlias(err error) error {
	var unknown *data.Error
	if !errors.As(err, &unknown) || !unknown.UnknownLabel {
		return err
	}
	return &failure{exitStatus(err), err, "--label-alias FROM=TO reads a spelling as a class of the model; rows of other classes have to go"}
}
