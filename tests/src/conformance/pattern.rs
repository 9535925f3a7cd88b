//! Whether a value is as a case wants it: a text, a header, JSON.

use regex::Regex;
use serde_json::Value;

/// Compares a text: `~` a pattern that it holds, `!~` one that it must not hold, else the text.
pub(super) fn text(expected: &str, got: &str) -> Result<(), String> {
    let found = |pattern: &str| match Regex::new(pattern) {
        Ok(pattern) => Ok(pattern.is_match(got)),
        Err(error) => Err(format!("the case has a bad pattern: {error}")),
    };
    let fits = if let Some(pattern) = expected.strip_prefix("!~") {
        !found(pattern)?
    } else if let Some(pattern) = expected.strip_prefix('~') {
        found(pattern)?
    } else {
        got == expected
    };
    if fits { Ok(()) } else { Err(format!("expected {expected:?}, got {got:?}")) }
}

/// Compares JSON. An object must have the members expected and may have more; an array must have
/// the elements. Strings are patterns as in [`text`], or one of
///
/// - `<string>`, `<number>`, `<integer>`, `<boolean>`, `<array>`, `<object>`, `<any>`;
/// - `<number 0..1>`, `<integer 1..20>`, `<array 1..5>` with bounds, both within;
/// - `<absent>` for a member that must not be there.
///
/// An array may be `["<each>", X]`, all of at least one element, or `["<some>", X, …]`, an element
/// for each.
pub(super) fn json(expected: &Value, got: &Value) -> Result<(), String> {
    compare(expected, got, "")
}

fn compare(expected: &Value, got: &Value, place: &str) -> Result<(), String> {
    let fail = || Err(format!("{}: expected {expected}, got {got}", shown(place)));
    match (expected, got) {
        (Value::String(pattern), got) if pattern.starts_with('<') && pattern.ends_with('>') => {
            if kind(&pattern[1..pattern.len() - 1], got)? {
                Ok(())
            } else {
                fail()
            }
        }
        (Value::String(expected), Value::String(got)) => {
            text(expected, got).map_err(|problem| format!("{}: {problem}", shown(place)))
        }
        (Value::Object(expected), Value::Object(got)) => {
            for (name, value) in expected {
                let place = format!("{place}/{name}");
                match got.get(name) {
                    _ if value == "<absent>" => {
                        if got.contains_key(name) {
                            return Err(format!("{place}: must not be there"));
                        }
                    }
                    Some(got) => compare(value, got, &place)?,
                    None => return Err(format!("{place}: is missing")),
                }
            }
            Ok(())
        }
        (Value::Array(expected), Value::Array(got)) => match expected.as_slice() {
            [Value::String(mode), each] if mode == "<each>" => {
                if got.is_empty() {
                    return fail();
                }
                let mut all = got.iter().enumerate();
                all.try_for_each(|(at, got)| compare(each, got, &format!("{place}/{at}")))
            }
            [Value::String(mode), some @ ..] if mode == "<some>" => {
                some.iter().try_for_each(|it| {
                    let found = got.iter().any(|got| compare(it, got, place).is_ok());
                    if found {
                        Ok(())
                    } else {
                        Err(format!("{}: has no {it}: {got:?}", shown(place)))
                    }
                })
            }
            _ if expected.len() != got.len() => fail(),
            _ => expected
                .iter()
                .zip(got)
                .enumerate()
                .try_for_each(|(at, (it, got))| compare(it, got, &format!("{place}/{at}"))),
        },
        (Value::Number(expected), Value::Number(got)) if expected.as_f64() == got.as_f64() => {
            Ok(())
        }
        (expected, got) if expected == got => Ok(()),
        _ => fail(),
    }
}

/// Whether a value is of a type, within bounds.
fn kind(pattern: &str, got: &Value) -> Result<bool, String> {
    let (name, bounds) = pattern.split_once(' ').unwrap_or((pattern, ""));
    let (fits, size) = match name {
        "any" => (true, None),
        "string" => (got.is_string(), got.as_str().map(|text| text.chars().count() as f64)),
        "number" => (got.is_number(), got.as_f64()),
        "integer" => (got.is_i64() || got.is_u64(), got.as_f64()),
        "boolean" => (got.is_boolean(), None),
        "array" => (got.is_array(), got.as_array().map(|values| values.len() as f64)),
        "object" => (got.is_object(), None),
        other => return Err(format!("the case has an unknown type: {other}")),
    };
    if bounds.is_empty() || !fits {
        return Ok(fits);
    }
    let bad = || format!("the case has bad bounds: {pattern}");
    let (low, high) = bounds.split_once("..").ok_or_else(bad)?;
    let bound = |text: &str, open: f64| {
        if text.is_empty() { Ok(open) } else { text.parse::<f64>().map_err(|_| bad()) }
    };
    let (low, high) = (bound(low, f64::MIN)?, bound(high, f64::MAX)?);
    Ok(size.is_some_and(|size| (low..=high).contains(&size)))
}

fn shown(place: &str) -> &str {
    if place.is_empty() { "the body" } else { place }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_that_fit_and_values_that_do_not() {
        for (expected, got, fits) in [
            (json!({"a": 1}), json!({"a": 1.0, "b": 2}), true),
            (json!({"a": 1}), json!({"b": 2}), false),
            (json!({"a": "<absent>"}), json!({"b": 2}), true),
            (json!({"a": "<absent>"}), json!({"a": null}), false),
            (json!("~^War"), json!("Warsaw"), true),
            (json!("!~War"), json!("Warsaw"), false),
            (json!("Warsaw"), json!("Warsaw"), true),
            (json!("Warsaw"), json!("warsaw"), false),
            (json!("<number 0..1>"), json!(0.5), true),
            (json!("<number 0..1>"), json!(1.5), false),
            (json!("<integer 1..>"), json!(7), true),
            (json!("<integer>"), json!(7.5), false),
            (json!("<array 1..2>"), json!([]), false),
            (json!("<string>"), json!(null), false),
            (json!([1, 2]), json!([1]), false),
            (json!(["<each>", {"a": "<any>"}]), json!([{"a": 1}, {"a": 2}]), true),
            (json!(["<each>", {"a": "<any>"}]), json!([{"a": 1}, {}]), false),
            (json!(["<each>", {"a": "<any>"}]), json!([]), false),
            (json!(["<some>", "b"]), json!(["a", "b"]), true),
            (json!(["<some>", "b", "c"]), json!(["a", "b"]), false),
            (json!(null), json!(null), true),
            (json!(true), json!(1), false),
        ] {
            let verdict = json(&expected, &got);
            assert_eq!(verdict.is_ok(), fits, "{expected} {got} {verdict:?}");
        }
        assert!(json(&json!("<something>"), &json!(1)).unwrap_err().contains("unknown type"));
        assert!(text("~(", "x").unwrap_err().contains("bad pattern"));
    }
}
