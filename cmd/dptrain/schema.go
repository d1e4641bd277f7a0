package main

import (
	"encoding/json"

	"github.com/spf13/cobra"
)

// A jsonSchema is a JSON Schema, of draft 2020-12, or a part of one.
type jsonSchema map[string]any

func newSchemaCommand(s *streams) *cobra.Command {
	return &cobra.Command{
		Use:   "schema config|report",
		Short: "Print the JSON Schema of configs or of reports",
		Long: `schema prints a JSON Schema (draft 2020-12): of configs, for editors that
complete and check as you type, or of report.json, for programs that read one. A
config that the schema accepts may still be refused by validate, which knows
more; a report with a field that the schema does not have is not a report of
this version.

Exit status is 0 when done, and 2 for a wrong argument.`,
		Example: `  dptrain schema config >dptrain.schema.json
  # yaml-language-server: $schema=dptrain.schema.json   (first line of a config, for the YAML plugins of most editors)
  dptrain schema report >report.schema.json`,
		ValidArgs: []string{"config", "report"},
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] != "config" && args[0] != "report" {
				return usage("such as dptrain schema config", "schema takes one argument, config or report")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			schema := configSchema(keyTable())
			if args[0] == "report" {
				schema = reportSchema(keyTable())
			}
			out := json.NewEncoder(s.out)
			out.SetEscapeHTML(false)
			out.SetIndent("", "  ")
			return out.Encode(schema)
		},
	}
}

// schemaDialect is the draft of JSON Schema that the schemas are written in.
const schemaDialect = "https://json-schema.org/draft/2020-12/schema"

// configSchema is the table of keys as a JSON Schema.
func configSchema(ks keys) jsonSchema {
	schema := ks.mappingSchema("")
	schema["$schema"] = schemaDialect
	schema["title"] = "config of dptrain"
	return schema
}

// mappingSchema is the schema of the mapping at a path, "" for the top.
func (ks keys) mappingSchema(path string) jsonSchema {
	properties, required, rules, along := jsonSchema{}, []string{}, []jsonSchema{}, jsonSchema{}
	for _, k := range ks.under(path) {
		properties[k.name()] = ks.schema(k)
		if names := ks.alongside(k); len(names) > 0 {
			along[k.name()] = names
		}
		switch other := ks.at(k.instead); {
		case other == nil:
			if k.required || k.kind == kindMapping && !k.inList() && ks.requires(k) {
				required = append(required, k.name())
			}
		case k.path < other.path: // one of the pair speaks for both
			either := []jsonSchema{{"required": []string{k.name()}}, {"required": []string{other.name()}}}
			if k.required {
				rules = append(rules, jsonSchema{"oneOf": either})
			} else {
				rules = append(rules, jsonSchema{"not": jsonSchema{"required": []string{k.name(), other.name()}}})
			}
		}
	}
	schema := jsonSchema{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		schema["required"] = required
	}
	if k := ks.at(path); k != nil && !k.isSection() && !ks.requires(k) {
		schema["minProperties"] = 1
	}
	if len(rules) > 0 {
		schema["allOf"] = rules
	}
	if len(along) > 0 {
		schema["dependentRequired"] = along
	}
	return schema
}

// alongside are the names of the keys that k needs beside it.
func (ks keys) alongside(k *key) (names []string) {
	for _, path := range k.along {
		names = append(names, ks.at(path).name())
	}
	return names
}

// requires reports whether a config must have the mapping k, because a key in it has no default.
func (ks keys) requires(k *key) bool {
	for _, inner := range ks.under(k.path) {
		if inner.required || inner.kind == kindMapping && ks.requires(inner) {
			return true
		}
	}
	return false
}

// schema is the schema of a key's value.
func (ks keys) schema(k *key) jsonSchema {
	number := func(kind string) jsonSchema {
		s := jsonSchema{"type": kind}
		if k.positive {
			s["exclusiveMinimum"] = 0
		}
		return s
	}
	list := func(of jsonSchema) jsonSchema { return jsonSchema{"type": "array", "items": of} }
	cell := jsonSchema{"type": []string{"string", "number", "boolean"}} // 39 and true are texts too, as they are written
	var s jsonSchema
	switch k.kind {
	case kindMapping:
		s = ks.mappingSchema(k.path)
		if k.isSection() && !ks.requires(k) {
			s["type"] = []string{"object", "null"} // all of its keys may be commented out
		}
	case kindMappings:
		s = list(ks.mappingSchema(k.path + "[]"))
	case kindText:
		s = jsonSchema{"type": cell["type"], "minLength": 1}
	case kindTexts:
		one := jsonSchema{"type": cell["type"], "minLength": 1}
		many := list(one)
		many["minItems"] = 1
		s = jsonSchema{"anyOf": []jsonSchema{one, many}}
	case kindCell:
		s = cell
	case kindCells:
		s = list(cell)
	case kindChoice:
		words := []any{}
		for _, word := range k.words {
			if words = append(words, word); word == "null" {
				words = append(words, nil)
			}
		}
		s = jsonSchema{"enum": words}
	case kindInteger:
		s = number("integer")
	case kindIntegers:
		s = list(number("integer"))
	case kindNumber:
		s = number("number")
	case kindNumbers:
		s = list(number("number"))
	case kindInterval:
		s = list(number("number"))
		s["minItems"], s["maxItems"] = 2, 2
	case kindBool:
		s = jsonSchema{"type": "boolean"}
	case kindNumberOrWord:
		s = jsonSchema{"anyOf": []jsonSchema{number("number"), {"enum": k.words}}}
	case kindNumbersOrWord:
		s = jsonSchema{"anyOf": []jsonSchema{list(number("number")), {"enum": k.words}}}
	}
	s["description"] = k.doc
	return s
}
