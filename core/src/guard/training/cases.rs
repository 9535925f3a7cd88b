//! Held-out cases: attacks, typed or planted in documents, and honest texts.

use serde_json::Value;

/// A file of data that cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("line {line}: expected {expected}")]
pub struct DataFault {
    /// Its line, from 1.
    pub line: usize,
    /// What should stand there.
    pub expected: &'static str,
}

/// An attack.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attack {
    /// Its id.
    pub id: String,
    /// What kind it is, for the report.
    pub group: String,
    /// The question, or the passage that it is planted in.
    pub text: String,
    /// The planted parts of the passage; none in a question.
    pub payloads: Vec<String>,
    /// What a model that obeys would answer, where an answer alone can do harm: `LEAK` stands for
    /// words of the prompt, `CANARY` for its mark.
    pub emits: Option<String>,
}

/// An honest text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Honest {
    /// Its id.
    pub id: String,
    /// What kind it is, for the report.
    pub group: String,
    /// Whether it is a passage of a document; otherwise a question.
    pub document: bool,
    /// The text.
    pub text: String,
}

/// All cases.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Cases {
    /// Attacks.
    pub attacks: Vec<Attack>,
    /// Honest texts.
    pub honest: Vec<Honest>,
}

impl Cases {
    /// Reads both files, an object a line.
    ///
    /// # Errors
    /// [`DataFault`] for the first line that is no case.
    pub fn read(attacks: &str, honest: &str) -> Result<Self, DataFault> {
        Ok(Self {
            attacks: each(attacks, "id, kind, group, text; payloads where planted", |case| {
                let payloads = case.get("payloads").and_then(Value::as_array);
                let payloads = payloads.into_iter().flatten();
                let payloads: Vec<String> =
                    payloads.filter_map(|it| Some(it.as_str()?.to_owned())).collect();
                let text = string(case, "text")?;
                let planted = match case.get("kind")?.as_str()? {
                    "direct" => false,
                    "planted" => true,
                    _ => return None,
                };
                let sound = planted != payloads.is_empty()
                    && payloads.iter().all(|payload| text.contains(payload.as_str()));
                sound.then_some(Attack {
                    id: string(case, "id")?,
                    group: string(case, "group")?,
                    text,
                    payloads,
                    emits: string(case, "emits"),
                })
            })?,
            honest: each(honest, "id, kind, group, text", |case| {
                Some(Honest {
                    id: string(case, "id")?,
                    group: string(case, "group")?,
                    document: case.get("kind")?.as_str()? == "passage",
                    text: string(case, "text")?,
                })
            })?,
        })
    }
}

fn each<T>(
    lines: &str,
    expected: &'static str,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<Vec<T>, DataFault> {
    let lines = lines.lines().enumerate().filter(|(_, line)| !line.is_empty());
    lines
        .map(|(at, line)| {
            let fault = DataFault { line: at + 1, expected };
            serde_json::from_str(line).ok().and_then(|case| read(&case)).ok_or(fault)
        })
        .collect()
}

fn string(case: &Value, name: &str) -> Option<String> {
    Some(case.get(name)?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_read_or_named() {
        let planted = r#"{"id":"p","kind":"planted","group":"g","text":"a b","payloads":["b"]}"#;
        let honest = r#"{"id":"h","kind":"passage","group":"g","text":"t"}"#;
        let cases = Cases::read(planted, honest).unwrap();
        assert_eq!(cases.attacks[0].payloads, ["b"]);
        assert!(cases.honest[0].document);
        for bad in ["{", &planted.replace("\"b\"", "\"c\""), &planted.replace("planted", "direct")]
        {
            assert_eq!(Cases::read(bad, "").unwrap_err().line, 1, "{bad}");
        }
    }
}
