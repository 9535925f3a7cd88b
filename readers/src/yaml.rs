//! Records in YAML, such as certificates: a list of records is a list of lines, a map a section.

use serde::Deserialize as _;
use serde_norway::{Deserializer, Mapping, Value};

use crate::{
    Content, Format, ReadError,
    limits::{MAX_DEPTH, MAX_OPEN_BRACKETS},
    markdown::Writer,
};

/// Names that say what a record is called, in order of preference.
const TITLES: &[&str] = &["title", "name", "label", "course"];

/// Names at the top that are about the file and not of its content.
const METADATA: &[&str] = &["title", "person", "author", "doc_type", "date", "tags", "language"];

pub(crate) fn read(bytes: &[u8]) -> Result<Content, ReadError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        ReadError::damaged(Format::Yaml, format!("not UTF-8 text (first bad byte at {at})"))
    })?;
    if opens_too_many(text) {
        let reason = format!("more than {MAX_OPEN_BRACKETS} brackets are not closed");
        return Err(ReadError::damaged(Format::Yaml, reason));
    }
    let mut writer = Writer::default();
    for document in Deserializer::from_str(text) {
        let value = Value::deserialize(document).map_err(|error| {
            ReadError::damaged(Format::Yaml, format!("not valid YAML: {error}"))
        })?;
        match value {
            Value::Mapping(map) => top(&map, &mut writer),
            Value::Sequence(items) => list(&items, &mut writer),
            Value::Null => {}
            other => {
                let reason = format!(
                    "expected records (a map or a list), got {:?}",
                    one_line(&other, 0).chars().take(40).collect::<String>()
                );
                return Err(ReadError::Shape { format: Format::Yaml, reason });
            }
        }
    }
    Ok(writer.finish())
}

/// Whether brackets are opened and not closed as often. Quotes are not understood: a file made to
/// harm can hide its brackets behind closing ones in quotes, and is left to the caller's clock.
fn opens_too_many(text: &str) -> bool {
    let mut open = 0_usize;
    text.bytes().any(|byte| {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        open > MAX_OPEN_BRACKETS
    })
}

fn top(map: &Mapping, writer: &mut Writer) {
    for (key, value) in map {
        let name = words(key);
        let field = name.to_lowercase().replace(' ', "_");
        if METADATA.contains(&field.as_str()) {
            match value {
                Value::Sequence(items) => {
                    items.iter().for_each(|item| writer.describe(&field, &one_line(item, 0)));
                }
                other => writer.describe(&field, &one_line(other, 0)),
            }
            continue;
        }
        section(2, &name, value, writer);
    }
}

fn section(level: usize, name: &str, value: &Value, writer: &mut Writer) {
    match value {
        Value::Sequence(items) => {
            writer.heading(level, &capital(name));
            list(items, writer);
        }
        // Three levels are what sections are cut at; below them a map is a line.
        Value::Mapping(map) if level < 4 => {
            writer.heading(level, &capital(name));
            map.iter().for_each(|(key, value)| section(level + 1, &words(key), value, writer));
        }
        other => {
            let text = one_line(other, 0);
            if !text.is_empty() {
                writer.item(0, None, &format!("{}: {text}", capital(name)));
            }
        }
    }
}

fn list(items: &[Value], writer: &mut Writer) {
    for item in items {
        match item {
            Value::Mapping(map) => writer.item(0, None, &record(map)),
            other => writer.item(0, None, &one_line(other, 0)),
        }
    }
}

/// A record as one line: what it is called, then its other fields.
fn record(map: &Mapping) -> String {
    let title = TITLES.iter().find(|name| map.get(**name).is_some_and(|it| !it.is_null()));
    let called = title.and_then(|name| map.get(*name)).map(|value| one_line(value, 1));
    let others = map.iter().filter(|(key, _)| key.as_str() != title.copied());
    let others: Vec<String> = others.filter_map(|(key, value)| field(key, value, 1)).collect();
    let others = others.join("; ");
    match called {
        Some(called) if others.is_empty() => called,
        Some(called) => format!("{called} – {others}"),
        None => others,
    }
}

fn field(key: &Value, value: &Value, depth: usize) -> Option<String> {
    let text = one_line(value, depth);
    (!text.is_empty()).then(|| format!("{}: {text}", words(key)))
}

fn one_line(value: &Value, depth: usize) -> String {
    if depth > MAX_DEPTH {
        return String::new();
    }
    match value {
        Value::Null => String::new(),
        Value::Bool(value) => if *value { "yes" } else { "no" }.to_owned(),
        Value::Number(value) => value.to_string(),
        Value::String(value) => value.trim().to_owned(),
        Value::Sequence(items) => {
            let items = items.iter().map(|item| one_line(item, depth + 1));
            items.filter(|it| !it.is_empty()).collect::<Vec<_>>().join(", ")
        }
        Value::Mapping(map) => {
            let fields = map.iter().filter_map(|(key, value)| field(key, value, depth + 1));
            fields.collect::<Vec<_>>().join(", ")
        }
        Value::Tagged(tagged) => one_line(&tagged.value, depth + 1),
    }
}

/// A key as words: `credential_id` is `credential id`.
fn words(key: &Value) -> String {
    one_line(key, MAX_DEPTH).replace(['_', '-'], " ")
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = read(text.as_bytes()).map_or_else(|error| error.to_string(), |it| it.text);
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn records() {
        check(
            "title: T\ncertificates:\n- name: First Aid\n  issuer: Red Cross\n  date: 2020-06-14\n  topics: [burns, splints]\n- issuer: X\n  expired: true\n",
            "## Certificates\n\n- First Aid – issuer: Red Cross; date: 2020-06-14; topics: burns, splints\n- issuer: X; expired: yes\n",
        );
        check("- one\n- {name: two}\n", "- one\n- two\n");
        check(
            "a:\n  b_c: 1\n  d: {e: [2, 3]}\n",
            "## A\n\n- B c: 1\n\n### D\n\n#### E\n\n- 2\n- 3\n",
        );
        let content = read(b"title: Mine\ntags: [x, y]\nn: 1").unwrap();
        assert_eq!(
            (&content.metadata["title"][0], content.metadata["tags"].len()),
            (&"Mine".to_owned(), 2)
        );
    }

    #[test]
    fn refusals() {
        for (text, expected) in [
            ("a: [", "not valid YAML"),
            ("just words", "expected records (a map or a list), got \"just words\""),
            ("&a [*a]", "damaged"),
        ] {
            let error = read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        assert!(read(b"a: \xff").is_err());
    }

    #[test]
    fn many_aliases_are_refused() {
        let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for (before, name) in ('a'..='i').zip('b'..='j') {
            bomb += &format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 9].join(", "));
        }
        assert!(read(bomb.as_bytes()).is_err());
    }

    #[test]
    fn deep_nesting_is_refused() {
        let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(read(deep.as_bytes()).is_err());
    }

    #[test]
    fn brackets_that_do_not_close_take_no_minutes() {
        for opening in ["[", "{a: "] {
            let error = read(opening.repeat(1_000_000).as_bytes()).unwrap_err().to_string();
            assert!(error.contains("more than 1000 brackets are not closed"), "{error}");
        }
        check(&"- [a, {b: 1}]\n".repeat(2_000), &"- a, b: 1\n".repeat(2_000));
    }
}
