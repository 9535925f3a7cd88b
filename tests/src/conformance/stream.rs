//! Server-sent events: how they are written, and the order that a case wants them in.

use serde_json::Value;

use super::pattern;

/// An event; its name is empty where the stream names none.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Event {
    pub(super) name: String,
    pub(super) data: String,
}

impl Event {
    /// The data as JSON, `null` where it is none.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_default()
    }
}

/// Reads a whole stream, and holds it to what clients rely on: an optional `event:` line, exactly
/// one `data:` line, a blank line; comments in between.
pub(super) fn events(text: &str) -> Result<Vec<Event>, String> {
    if !text.ends_with("\n\n") {
        return Err("the stream does not end with a blank line".to_owned());
    }
    let mut events = Vec::new();
    for block in text.trim_end_matches('\n').split("\n\n") {
        let lines: Vec<&str> = block.lines().filter(|line| !line.starts_with(':')).collect();
        let (name, data) = match lines.as_slice() {
            [] => continue,
            [data] => ("", *data),
            [name, data] => {
                let name = name.strip_prefix("event: ");
                (name.ok_or_else(|| format!("no `event:` line in {block:?}"))?, *data)
            }
            _ => return Err(format!("an event of more than two lines: {block:?}")),
        };
        let data = data.strip_prefix("data:").ok_or_else(|| format!("no `data:` in {block:?}"))?;
        let data = data.strip_prefix(' ').unwrap_or(data);
        events.push(Event { name: name.to_owned(), data: data.to_owned() });
    }
    Ok(events)
}

/// Holds events to the lines of a case.
///
/// `event NAME JSON` and `data JSON` stand for one event each; a name or `data` that ends with `+`,
/// `*` or `?` for as many as fit. `answer PATTERN` compares the text that all pieces make together.
pub(super) fn check(lines: &str, events: &[Event]) -> Result<(), String> {
    let mut at = 0;
    for line in lines.lines().filter(|line| !line.is_empty()) {
        if let Some(expected) = line.strip_prefix("answer ") {
            pattern::text(expected, &answer(events))
                .map_err(|problem| format!("answer: {problem}"))?;
            continue;
        }
        let wanted = Wanted::read(line)?;
        let start = at;
        while at < events.len() && (wanted.many || at == start) && wanted.fits(&events[at]).is_ok()
        {
            at += 1;
        }
        if at - start < wanted.least {
            let got = events.get(start);
            let why = got.map(|event| wanted.fits(event).err().unwrap_or_default());
            return Err(format!(
                "event {}: expected {line}, got {}: {}",
                start + 1,
                got.map_or("the end".to_owned(), |event| format!("{} {}", event.name, event.data)),
                why.unwrap_or_default()
            ));
        }
    }
    match events.get(at) {
        None => Ok(()),
        Some(event) => Err(format!("one event too many: {} {}", event.name, event.data)),
    }
}

/// What one line of a case wants.
struct Wanted<'a> {
    name: &'a str,
    data: &'a str,
    least: usize,
    many: bool,
}

impl<'a> Wanted<'a> {
    fn read(line: &'a str) -> Result<Self, String> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (name, data) = match word.trim_end_matches(['+', '*', '?']) {
            "event" => rest.split_once(' ').unwrap_or((rest, "")),
            "data" => (word, rest),
            other => return Err(format!("the case has an unknown line: {other}")),
        };
        let bare = name.trim_end_matches(['+', '*', '?']);
        let (least, many) = match &name[bare.len()..] {
            "" => (1, false),
            "+" => (1, true),
            "*" => (0, true),
            "?" => (0, false),
            other => return Err(format!("the case has an unknown mark: {other}")),
        };
        let bare = if bare == "data" { "" } else { bare };
        Ok(Self { name: bare, data: data.trim(), least, many })
    }

    fn fits(&self, event: &Event) -> Result<(), String> {
        if event.name != self.name {
            return Err(format!("its name is {:?}", event.name));
        }
        match self.data {
            "" => Ok(()),
            "(empty)" => pattern::text("", &event.data),
            "[DONE]" => pattern::text("[DONE]", &event.data),
            json => {
                let expected = serde_json::from_str(json)
                    .map_err(|error| format!("the case has bad JSON: {error}"))?;
                pattern::json(&expected, &event.json())
            }
        }
    }
}

/// The text that the pieces make together: `token` events, or the deltas of chunks.
fn answer(events: &[Event]) -> String {
    let pieces = events.iter().filter_map(|event| match event.name.as_str() {
        "token" => event.json().as_str().map(str::to_owned),
        "" => event.json().pointer("/choices/0/delta/content")?.as_str().map(str::to_owned),
        _ => None,
    });
    pieces.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "event: metadata\ndata: {\"grounded\":true}\n\nevent: token\ndata: \"War\"\n\n\
                          : wait\n\nevent: token\ndata: \"saw\"\n\nevent: done\ndata: \n\n";

    #[test]
    fn order_and_content_are_compared() {
        let events = events(STREAM).unwrap();
        assert_eq!(events.len(), 4);
        for (lines, fits) in [
            ("event metadata {\"grounded\": true}\nevent token+\nevent done (empty)", true),
            ("event metadata\nevent fallback?\nevent token+\nevent done\nanswer ~^Warsaw$", true),
            ("event metadata\nevent token+\nevent done\nanswer ~Paris", false),
            ("event metadata {\"grounded\": false}\nevent token+\nevent done", false),
            ("event metadata\nevent token\nevent done", false),
            ("event metadata\nevent token*", false),
            ("event metadata\nevent token+\nevent done\nevent done", false),
        ] {
            assert_eq!(check(lines, &events).is_ok(), fits, "{lines}");
        }
    }

    #[test]
    fn unnamed_events_and_bad_streams() {
        let chunks = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: [DONE]\n\n";
        let parsed = events(chunks).unwrap();
        let lines = "data+ {\"choices\": [{\"delta\": \"<object>\"}]}\ndata [DONE]\nanswer a";
        assert_eq!(check(lines, &parsed), Ok(()));
        for bad in ["event: a\ndata: b\n", "event: a\ndata: b\ndata: c\n\n", "id: 1\ndata: b\n\n"] {
            assert!(events(bad).is_err(), "{bad:?}");
        }
    }
}
