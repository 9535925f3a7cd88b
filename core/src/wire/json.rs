//! A request's JSON as a value of its type, with faults in the words of JSON.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use super::FieldError;
use crate::RequestError;

/// Whole numbers of the wire types are smaller: 2⁶³.
const TOO_LARGE: f64 = 9_223_372_036_854_775_808.0;

/// Reads the body of a request.
///
/// # Errors
/// [`RequestError::BadJson`] for what is no JSON; [`RequestError::Invalid`] with the field that is
/// missing or has the wrong type.
pub fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, RequestError> {
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| RequestError::BadJson { reason: error.to_string() })?;
    // Serde takes an array for an object whose members come in their order; a client means neither.
    if !value.is_object() {
        let message = format!("body must be an object, got {}", kind(&value));
        let field = FieldError { field: "body".to_owned(), message };
        return Err(RequestError::Invalid { fields: vec![field] });
    }
    serde_path_to_error::deserialize(&value).map_err(|error| {
        let field = fault(&value, error.path(), &error.inner().to_string());
        RequestError::Invalid { fields: vec![field] }
    })
}

/// The field at fault. What it should be is in serde's words and is translated; what it is comes from
/// the JSON itself, and never quotes it: it is a visitor's.
fn fault(body: &Value, path: &Path, said: &str) -> FieldError {
    let name = |path: &Path| {
        let path = path.to_string();
        if path == "." { "body".to_owned() } else { path }
    };
    let missing = said.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    if let Some(missing) = missing {
        let inside = path.iter().next().map(|_| format!("{path}.")).unwrap_or_default();
        let field = format!("{inside}{missing}");
        let message = format!("{field} is missing");
        return FieldError { field, message };
    }
    let field = name(path);
    let got = at(body, path).map_or("something else", kind);
    let message = match said.rsplit_once(", expected ") {
        Some((_, expected)) => format!("{field} must be {}, got {got}", in_json(expected)),
        None => format!("{field} cannot be read, got {got}"),
    };
    FieldError { field, message }
}

fn at<'a>(body: &'a Value, path: &Path) -> Option<&'a Value> {
    path.iter().try_fold(body, |value, segment| match segment {
        Segment::Seq { index } => value.get(*index),
        Segment::Map { key } => value.get(key),
        Segment::Enum { .. } | Segment::Unknown => None,
    })
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        // Beyond 64 bits it is read as one with a fraction.
        Value::Number(number) if number.as_f64().is_some_and(|it| it.abs() >= TOO_LARGE) => {
            "a number that is too large"
        }
        Value::Number(number) if number.is_f64() => "a number with a fraction",
        Value::Number(number) if number.is_i64() && !number.is_u64() => "a negative number",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// What serde expects, without names of Rust's types.
fn in_json(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a sequence" => "an array",
        "a map" => "an object",
        _ if expected.starts_with("struct ") => "an object",
        _ => expected,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only reading is looked at")]
    struct Sample {
        text: String,
        count: Option<usize>,
        delta: Option<i32>,
        share: Option<f32>,
        on: Option<bool>,
        #[serde(default)]
        tags: Vec<String>,
        #[serde(default)]
        filter: BTreeMap<String, String>,
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only reading is looked at")]
    struct Inner {
        name: String,
    }

    #[test]
    fn faults_name_the_field_and_speak_json() {
        let check = |body: &str, field: &str, message: &str| {
            let Err(RequestError::Invalid { fields }) = read_json::<Sample>(body.as_bytes()) else {
                panic!("{body}")
            };
            assert_eq!((fields[0].field.as_str(), fields[0].message.as_str()), (field, message));
        };
        check("{}", "text", "text is missing");
        check("[]", "body", "body must be an object, got an array");
        check("[\"text\"]", "body", "body must be an object, got an array");
        check("null", "body", "body must be an object, got null");
        check("\"a\"", "body", "body must be an object, got a string");
        check(r#"{"text": 7}"#, "text", "text must be a string, got a number");
        check(r#"{"text": null}"#, "text", "text must be a string, got null");
        check(
            r#"{"text": "", "count": -1}"#,
            "count",
            "count must be a whole number from 0, got a negative number",
        );
        check(
            r#"{"text": "", "count": 1.5}"#,
            "count",
            "count must be a whole number from 0, got a number with a fraction",
        );
        for large in ["99999999999999999999", "1e30"] {
            check(
                &format!(r#"{{"text": "", "count": {large}}}"#),
                "count",
                "count must be a whole number from 0, got a number that is too large",
            );
        }
        check(
            r#"{"text": "", "delta": "3"}"#,
            "delta",
            "delta must be a whole number, got a string",
        );
        check(r#"{"text": "", "share": []}"#, "share", "share must be a number, got an array");
        check(r#"{"text": "", "on": 1}"#, "on", "on must be a boolean, got a number");
        check(r#"{"text": "", "tags": {}}"#, "tags", "tags must be an array, got an object");
        check(
            r#"{"text": "", "tags": ["a", true]}"#,
            "tags[1]",
            "tags[1] must be a string, got a boolean",
        );
        check(
            r#"{"text": "", "filter": {"a": 1}}"#,
            "filter.a",
            "filter.a must be a string, got a number",
        );
        check(r#"{"text": "", "inner": {}}"#, "inner.name", "inner.name is missing");
    }

    #[test]
    fn what_is_no_json_is_said_to_be_none() {
        for body in ["", "{\"text\": ", "\u{feff}{}", "nul", "{\"text\": \"\u{1}\"}", "{} {}"] {
            let outcome = read_json::<Sample>(body.as_bytes());
            assert!(matches!(outcome, Err(RequestError::BadJson { .. })), "{body:?}");
        }
        let deep = "[".repeat(1_000);
        assert!(matches!(read_json::<Value>(deep.as_bytes()), Err(RequestError::BadJson { .. })));
        assert!(read_json::<Sample>(br#"{"text": "a", "unknown": [1]}"#).is_ok());
    }
}
