//! Whether JSON is as a schema of `docs/openapi.json` has it.
//!
//! The keywords are those that our schemas use; another one is an error, so that none is passed
//! over in silence.

use regex::Regex;
use serde_json::{Map, Value};

/// Holds `value` to `schema`, whose references lead into `document`.
pub(super) fn check(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    Check { document }.value(schema, value, "")
}

struct Check<'a> {
    document: &'a Value,
}

impl Check<'_> {
    fn value(&self, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
        let Value::Object(keywords) = schema else {
            return match schema {
                Value::Bool(true) => Ok(()),
                _ => Err(format!("{place}: nothing may stand here")),
            };
        };
        keywords.iter().try_for_each(|(name, wanted)| {
            self.keyword(keywords, name, wanted, value, place)
                .map_err(|why| if why.starts_with('/') { why } else { format!("{place}/: {why}") })
        })
    }

    fn keyword(
        &self,
        schema: &Map<String, Value>,
        name: &str,
        wanted: &Value,
        value: &Value,
        place: &str,
    ) -> Result<(), String> {
        let hold = |fits: bool| {
            if fits { Ok(()) } else { Err(format!("{name} is {wanted}, got {value}")) }
        };
        let number = |compare: fn(&f64, &f64) -> bool, size: Option<f64>| match size {
            Some(size) => hold(compare(&size, &wanted.as_f64().unwrap_or(f64::NAN))),
            None => Ok(()),
        };
        let chars = || value.as_str().map(|text| text.chars().count() as f64);
        let items = || value.as_array().map(|items| items.len() as f64);
        match name {
            "$ref" => {
                let pointer = wanted.as_str().and_then(|text| text.strip_prefix('#'));
                let found = pointer.and_then(|pointer| self.document.pointer(pointer));
                self.value(found.ok_or_else(|| format!("no schema {wanted}"))?, value, place)
            }
            "type" => hold(match wanted {
                Value::Array(names) => names.iter().any(|name| is(name, value)),
                name => is(name, value),
            }),
            "const" => hold(value == wanted),
            "enum" => hold(wanted.as_array().is_some_and(|values| values.contains(value))),
            "minimum" => number(f64::ge, value.as_f64()),
            "maximum" => number(f64::le, value.as_f64()),
            "minLength" => number(f64::ge, chars()),
            "maxLength" => number(f64::le, chars()),
            "minItems" => number(f64::ge, items()),
            "maxItems" => number(f64::le, items()),
            "pattern" => match (value.as_str(), wanted.as_str().map(Regex::new)) {
                (Some(text), Some(Ok(pattern))) => hold(pattern.is_match(text)),
                (None, _) => Ok(()),
                _ => Err(format!("a bad pattern: {wanted}")),
            },
            "required" => match value.as_object() {
                Some(members) => wanted.as_array().into_iter().flatten().try_for_each(|name| {
                    let there = name.as_str().is_some_and(|name| members.contains_key(name));
                    if there { Ok(()) } else { Err(format!("{name} is missing")) }
                }),
                None => Ok(()),
            },
            "properties" => {
                let properties = wanted.as_object().into_iter().flatten();
                properties.into_iter().try_for_each(|(name, schema)| match value.get(name) {
                    Some(member) => self.value(schema, member, &format!("{place}/{name}")),
                    None => Ok(()),
                })
            }
            "additionalProperties" => {
                let named = schema.get("properties").and_then(Value::as_object);
                let members = value.as_object().into_iter().flatten();
                members
                    .filter(|(name, _)| !named.is_some_and(|named| named.contains_key(*name)))
                    .try_for_each(|(name, it)| self.value(wanted, it, &format!("{place}/{name}")))
            }
            "items" => {
                let items = value.as_array().into_iter().flatten().enumerate();
                let mut items = items;
                items.try_for_each(|(at, item)| self.value(wanted, item, &format!("{place}/{at}")))
            }
            "anyOf" | "oneOf" => {
                let choices = wanted.as_array().map(Vec::as_slice).unwrap_or_default();
                let fits = |choice: &&Value| self.value(choice, value, place).is_ok();
                let fitting = choices.iter().filter(fits).count();
                hold(if name == "oneOf" { fitting == 1 } else { fitting > 0 })
            }
            "default" | "description" | "examples" => Ok(()),
            other => Err(format!("the schema has a keyword unknown here: {other}")),
        }
    }
}

fn is(name: &Value, value: &Value) -> bool {
    match name.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("string") => value.is_string(),
        Some("number") => value.is_number(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_that_fit_and_values_that_do_not() {
        let document = json!({"named": {"type": "object", "required": ["a"]}});
        for (schema, value, fits) in [
            (json!(true), json!(1), true),
            (json!(false), json!(1), false),
            (json!({"$ref": "#/named"}), json!({"a": 1}), true),
            (json!({"$ref": "#/named"}), json!({}), false),
            (json!({"type": ["string", "null"], "maxLength": 2}), json!(null), true),
            (json!({"type": ["string", "null"], "maxLength": 2}), json!("äöü"), false),
            (json!({"type": "integer", "minimum": 1, "maximum": 2}), json!(2), true),
            (json!({"type": "integer", "minimum": 1}), json!(0), false),
            (json!({"type": "integer"}), json!(1.5), false),
            (json!({"properties": {"a": {"const": 1}}}), json!({"a": 2}), false),
            (json!({"properties": {"a": {"const": 1}}}), json!({"b": 2}), true),
            (json!({"additionalProperties": {"type": "string"}}), json!({"a": 1}), false),
            (json!({"items": {"enum": ["a", "b"]}, "minItems": 1}), json!(["a"]), true),
            (json!({"items": {"enum": ["a", "b"]}, "minItems": 1}), json!([]), false),
            (json!({"items": {"pattern": "^a"}}), json!(["ba"]), false),
            (json!({"oneOf": [{"type": "number"}, {"type": "integer"}]}), json!(1), false),
            (json!({"anyOf": [{"type": "number"}, {"type": "integer"}]}), json!(1), true),
        ] {
            let verdict = check(&document, &schema, &value);
            assert_eq!(verdict.is_ok(), fits, "{schema} {value} {verdict:?}");
        }
        let unknown = check(&document, &json!({"multipleOf": 2}), &json!(4));
        assert!(unknown.unwrap_err().contains("unknown"));
        let deep = json!({"properties": {"a": {"items": {"type": "string"}}}});
        let why = check(&document, &deep, &json!({"a": ["x", 7]})).unwrap_err();
        assert!(why.starts_with("/a/1"), "{why}");
    }
}
