package main

import (
	"encoding/json"
	"reflect"
	"strings"

	"dptrain/internal/data"
	"dptrain/internal/privacy/accounting"
	"dptrain/internal/train"
	"dptrain/internal/train/nn"
)

// reportSchema is the type of reports as a JSON Schema. Words that a config may state are those of the table of keys.
func reportSchema(ks keys) jsonSchema {
	r := reflector{words: map[reflect.Type][]string{
		reflect.TypeFor[accounting.Adjacency](): ks.at("privacy.adjacency").words,
		reflect.TypeFor[data.Kind]():            ks.at("data.features[].kind").words,
		reflect.TypeFor[nn.Activation]():        ks.at("model.activation").words,
	}}
	schema := r.schema(reflect.TypeFor[train.Report]())
	schema["$schema"] = schemaDialect
	schema["title"] = "privacy report of dptrain"
	schema["$defs"] = jsonSchema{"event": eventSchema()}
	schema["properties"].(jsonSchema)["schema"] = jsonSchema{"const": train.ReportSchema}
	return schema
}

// A reflector makes schemas of types, as encoding/json writes their values.
type reflector struct {
	words map[reflect.Type][]string // of the types that are one of some words
}

func (r reflector) schema(t reflect.Type) jsonSchema {
	if words, ok := r.words[t]; ok {
		return jsonSchema{"enum": words}
	}
	if t == reflect.TypeFor[json.RawMessage]() {
		return jsonSchema{"$ref": "#/$defs/event"} // the one text in a report that is JSON already
	}
	switch t.Kind() {
	case reflect.Struct:
		return r.object(t)
	case reflect.Pointer:
		return jsonSchema{"anyOf": []jsonSchema{r.schema(t.Elem()), {"type": "null"}}}
	case reflect.Slice:
		return jsonSchema{"type": "array", "items": r.schema(t.Elem())}
	case reflect.Array:
		return jsonSchema{"type": "array", "items": r.schema(t.Elem()), "minItems": t.Len(), "maxItems": t.Len()}
	case reflect.Bool:
		return jsonSchema{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return jsonSchema{"type": "integer"}
	case reflect.Float64:
		return jsonSchema{"type": "number"}
	case reflect.String:
		return jsonSchema{"type": "string"}
	default:
		panic("no schema for a field of type " + t.String())
	}
}

// object is the schema of a struct: every field is required but those left out where empty, and there are no others.
func (r reflector) object(t reflect.Type) jsonSchema {
	properties, required := jsonSchema{}, []string{}
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			continue // its fields come by themselves
		}
		kind := f.Type
		if strings.Contains(options, "omitempty") {
			if kind.Kind() == reflect.Pointer {
				kind = kind.Elem() // left out rather than null
			}
		} else {
			required = append(required, name)
		}
		properties[name] = r.schema(kind)
	}
	return jsonSchema{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

// eventSchema is the schema of an event of the accounting.
func eventSchema() jsonSchema {
	event := jsonSchema{"$ref": "#/$defs/event"}
	var kinds []jsonSchema
	for _, k := range accounting.EventKinds() {
		properties, required := jsonSchema{"event": jsonSchema{"const": k.Name}}, []string{"event"}
		for _, field := range k.Fields {
			switch field {
			case "of":
				properties[field] = event
			case "events":
				properties[field] = jsonSchema{"type": "array", "items": event}
				continue // a composition may have none
			case "count":
				properties[field] = jsonSchema{"type": "integer", "minimum": 0}
			default:
				properties[field] = jsonSchema{"type": "number", "minimum": 0}
			}
			required = append(required, field)
		}
		kinds = append(kinds, jsonSchema{"type": "object", "properties": properties, "required": required, "additionalProperties": false})
	}
	return jsonSchema{"oneOf": kinds}
}
