//! An answer as server-sent events: `metadata`, `token`…, `done`, each with one `data:` line.

use unicode_segmentation::UnicodeSegmentation as _;

use crate::wire::{ChatResponse, StreamMetadata};

/// Words in one `token` event.
const WORDS: usize = 4;

/// One event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    /// Its name.
    pub name: &'static str,
    /// Its payload: JSON, or empty. Never holds a line break.
    pub data: String,
}

impl Event {
    fn json(name: &'static str, payload: &impl serde::Serialize) -> Self {
        // Serialising our own wire types cannot fail; an empty payload would still be an event.
        Self { name, data: serde_json::to_string(payload).unwrap_or_default() }
    }

    /// The event's bytes, blank line included.
    pub fn encode(&self) -> String {
        format!("event: {}\ndata: {}\n\n", self.name, self.data)
    }
}

/// The events of an answer, in order.
pub fn events(response: &ChatResponse) -> Vec<Event> {
    let ambiguity = response.ambiguity.as_ref();
    let metadata = StreamMetadata {
        sources: &response.sources,
        grounded: response.grounded,
        confidence: response.confidence,
        session_id: &response.session_id,
        is_ambiguous: ambiguity.is_some_and(|it| it.is_ambiguous),
        clarification_requested: ambiguity.is_some_and(|it| it.clarification_requested),
        rewrite_metadata: &response.rewrite_metadata,
        degraded: &response.degraded,
    };
    let mut events = vec![Event::json("metadata", &metadata)];
    events.extend(fragments(&response.answer).iter().map(|it| Event::json("token", it)));
    events.push(Event { name: "done", data: String::new() });
    events
}

/// Cuts text after every few words; joined, the fragments are the text.
fn fragments(text: &str) -> Vec<&str> {
    let mut fragments = Vec::new();
    let (mut start, mut words) = (0, 0);
    for (at, piece) in text.split_word_bound_indices() {
        if piece.chars().all(char::is_whitespace) {
            words += 1;
            if words == WORDS {
                let end = at + piece.len();
                fragments.push(&text[start..end]);
                (start, words) = (end, 0);
            }
        }
    }
    fragments.extend(Some(&text[start..]).filter(|rest| !rest.is_empty()));
    fragments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_join_to_the_text() {
        let text = "One two three four five [1].\nSix — seven, ‘eight’ nine ten.  ";
        assert_eq!(fragments(text).concat(), text);
        assert_eq!(fragments(text).len(), 3);
        assert!(fragments("").is_empty());
    }

    #[test]
    fn an_event_is_two_lines_and_a_blank_one() {
        let event = Event::json("token", &"a\nb\r\n\"c\"");
        assert_eq!(event.encode(), "event: token\ndata: \"a\\nb\\r\\n\\\"c\\\"\"\n\n");
    }
}
