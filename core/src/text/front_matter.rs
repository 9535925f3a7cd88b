//! The YAML block at the head of a document.

use std::collections::BTreeMap;

use serde_norway::Value;

/// Metadata of a document: names in lower snake case, each with one or more values.
///
/// Lists keep their items, nested maps are named with a dot (`address.city`), dates stay as they
/// are written.
pub type Metadata = BTreeMap<String, Vec<String>>;

/// Longest block, in bytes. Metadata is a screen; the parser's time grows with the square of the
/// brackets that do not close (under the fuzzer 8 s for this many, 28 s for twice as many), and a
/// document may have ten million.
const MAX_BYTES: usize = 16 << 10;

/// Splits `text` into metadata and the byte at which the body starts.
///
/// A block opens with a line `---` at the very start and closes with the next such line; text
/// without it has no metadata.
///
/// # Errors
/// The reason, in words, when the block does not close, is too long or is not a YAML map.
pub(super) fn split(text: &str) -> Result<(Metadata, usize), String> {
    let mut lines = text.split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| line.trim_end() == "---") else {
        return Ok((Metadata::new(), 0));
    };
    let mut end = first.len();
    for line in lines {
        let start = end;
        end += line.len();
        if line.trim_end() == "---" {
            return Ok((parse(&text[first.len()..start])?, end));
        }
    }
    Err("front matter is not closed: expected a second line `---`".to_owned())
}

fn parse(block: &str) -> Result<Metadata, String> {
    if block.len() > MAX_BYTES {
        return Err(format!(
            "front matter is too long: {} bytes, at most {MAX_BYTES}; put what is text below it",
            block.len()
        ));
    }
    let value: Value = serde_norway::from_str(block).map_err(|error| {
        format!("front matter is not valid YAML: {error}; quote values with a colon")
    })?;
    let mut metadata = Metadata::new();
    match value {
        Value::Null => {}
        Value::Mapping(map) => {
            for (key, value) in map {
                let key = scalar(&key).ok_or("front matter has a key that is not a word")?;
                flatten(key.to_lowercase().replace([' ', '-'], "_"), &value, &mut metadata);
            }
        }
        _ => return Err("front matter is not a map: expected lines of `name: value`".to_owned()),
    }
    Ok(metadata)
}

fn flatten(name: String, value: &Value, metadata: &mut Metadata) {
    match value {
        Value::Mapping(map) => {
            for (key, value) in map {
                if let Some(key) = scalar(key) {
                    flatten(format!("{name}.{}", key.to_lowercase()), value, metadata);
                }
            }
        }
        Value::Sequence(items) => {
            for item in items {
                flatten(name.clone(), item, metadata);
            }
        }
        other => metadata.entry(name).or_default().extend(scalar(other)),
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(value) => Some(value.to_string()),
        Value::String(value) => Some(value.trim().to_owned()).filter(|value| !value.is_empty()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = match split(text) {
            Ok((metadata, body)) => {
                let entries: Vec<String> = metadata
                    .iter()
                    .map(|(name, values)| format!("{name}={}", values.join("|")))
                    .collect();
                format!("{} / {}", entries.join(" "), &text[body..])
            }
            Err(reason) => reason,
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn blocks() {
        check("body --- only", " / body --- only");
        check("---\ntitle: A\nDoc-Type: resume\n---\nbody", "doc_type=resume title=A / body");
        check("---\ntags: [x, y]\nat:\n  city: Paris\n---\n", "at.city=Paris tags=x|y / ");
        check("---\r\ndate: 1903-12-10\r\n---\r\nb", "date=1903-12-10 / b");
        check("---\ngone: ~\n---\nb\n---\nc", "gone= / b\n---\nc");
        check("---\n---\nb", " / b");
        check("---\nopen: yes", "front matter is not closed: expected a second line `---`");
        check("---\n- a\n---\n", "front matter is not a map: expected lines of `name: value`");
        assert!(
            split("---\na: b: c\n---\n").is_err_and(|reason| reason.contains("not valid YAML"))
        );
    }

    #[test]
    fn brackets_that_do_not_close_take_no_minutes() {
        check(
            &format!("---\na: {}\n---\nb", "[".repeat(1_000_000)),
            "front matter is too long: 1000004 bytes, at most 16384; put what is text below it",
        );
    }
}
