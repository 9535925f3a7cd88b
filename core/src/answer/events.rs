//! The events of an answer, in their order, as server-sent events with one `data:` line each.
//!
//! `metadata`, `fallback`…, `thinking`…, `thinking_done`, `token`…, `sources_reorder`, `result`,
//! `done`; or `error` at any time, as the last one.

use serde::Serialize;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::wire::{
    ChatSource, StreamError, StreamFallback, StreamMetadata, StreamResult, StreamSources,
};

/// Words in one `token` event of a text that was ready.
const WORDS: usize = 4;

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// What the answer rests on, and the conversation's id.
    Metadata(Box<StreamMetadata>),
    /// Another provider took over, before any text.
    Fallback(StreamFallback),
    /// A piece of the model's reasoning.
    Thinking(String),
    /// The reasoning is over; the text follows.
    ThinkingDone,
    /// A piece of the answer.
    Token(String),
    /// The sources in the order in which the answer cites them.
    SourcesReorder(Vec<ChatSource>),
    /// What is known of the answer only now that it is complete.
    Result(Box<StreamResult>),
    /// The answer is complete and recorded.
    Done,
    /// The answer ends here, incomplete.
    Error(StreamError),
}

impl Event {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Metadata(_) => "metadata",
            Self::Fallback(_) => "fallback",
            Self::Thinking(_) => "thinking",
            Self::ThinkingDone => "thinking_done",
            Self::Token(_) => "token",
            Self::SourcesReorder(_) => "sources_reorder",
            Self::Result(_) => "result",
            Self::Done => "done",
            Self::Error(_) => "error",
        }
    }

    /// Its bytes, blank line included.
    pub fn encode(&self) -> String {
        let data = match self {
            Self::Metadata(metadata) => json(metadata),
            Self::Fallback(fallback) => json(fallback),
            Self::Thinking(text) | Self::Token(text) => json(text),
            Self::SourcesReorder(sources) => json(&StreamSources { reordered_sources: sources }),
            Self::Result(result) => json(result),
            Self::Error(error) => json(error),
            Self::ThinkingDone | Self::Done => String::new(),
        };
        format!("event: {}\ndata: {data}\n\n", self.name())
    }
}

/// JSON has no line breaks outside of strings, and escapes those within.
fn json(payload: &impl Serialize) -> String {
    // Serialising our own wire types cannot fail; an empty payload would still be an event.
    serde_json::to_string(payload).unwrap_or_default()
}

/// Cuts text after every few words; joined, the fragments are the text.
pub fn fragments(text: &str) -> Vec<&str> {
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

/// The order of a stream's events, as a state machine that refuses any other.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Sequence {
    stage: Stage,
    /// The last event admitted.
    last: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
enum Stage {
    #[default]
    Nothing,
    Described,
    Thinking,
    Thought,
    Answering,
    Reordered,
    Judged,
    Ended,
}

/// An event at a wrong place; the fault is in our own code.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("event out of order: {event}, after {}", last.unwrap_or("nothing"))]
pub struct OutOfOrder {
    /// The event; `end` for a stream that ends without `done` or `error`.
    pub event: &'static str,
    /// The event before it.
    pub last: Option<&'static str>,
}

impl Sequence {
    /// Admits the next event.
    ///
    /// # Errors
    /// It must not come here.
    pub fn admit(&mut self, event: &Event) -> Result<(), OutOfOrder> {
        use Stage::{Answering, Described, Ended, Judged, Nothing, Reordered, Thinking, Thought};
        let stage = match (event, self.stage) {
            (Event::Metadata(_), Nothing) | (Event::Fallback(_), Described) => Described,
            (Event::Thinking(_), Described | Thinking) => Thinking,
            (Event::ThinkingDone, Thinking) => Thought,
            (Event::Token(_), Described | Thought | Answering) => Answering,
            (Event::SourcesReorder(_), Answering) => Reordered,
            // A client takes an answer without text for one that broke off.
            (Event::Result(_), Answering | Reordered) => Judged,
            (Event::Done, Answering | Reordered | Judged) => Ended,
            (Event::Error(_), stage) if stage != Ended => Ended,
            _ => return Err(OutOfOrder { event: event.name(), last: self.last }),
        };
        *self = Self { stage, last: Some(event.name()) };
        Ok(())
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// Neither `done` nor `error` came.
    pub fn end(self) -> Result<(), OutOfOrder> {
        match self.stage {
            Stage::Ended => Ok(()),
            _ => Err(OutOfOrder { event: "end", last: self.last }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str) -> Event {
        match name {
            "metadata" => Event::Metadata(Box::default()),
            "fallback" => Event::Fallback(StreamFallback::default()),
            "thinking" => Event::Thinking("t".to_owned()),
            "thinking_done" => Event::ThinkingDone,
            "token" => Event::Token("t".to_owned()),
            "sources_reorder" => Event::SourcesReorder(Vec::new()),
            "result" => Event::Result(Box::default()),
            "done" => Event::Done,
            _ => Event::Error(StreamError::default()),
        }
    }

    #[test]
    fn orders() {
        for (names, expected) in [
            ("metadata token done", ""),
            ("metadata token result done", ""),
            ("metadata token result token", "event out of order: token, after result"),
            (
                "metadata fallback fallback thinking thinking thinking_done token token sources_reorder result done",
                "",
            ),
            ("error", ""),
            ("metadata token error", ""),
            ("metadata token", "event out of order: end, after token"),
            ("", "event out of order: end, after nothing"),
            ("token", "event out of order: token, after nothing"),
            ("metadata metadata", "event out of order: metadata, after metadata"),
            ("metadata done", "event out of order: done, after metadata"),
            ("metadata thinking token", "event out of order: token, after thinking"),
            ("metadata thinking_done", "event out of order: thinking_done, after metadata"),
            ("metadata token fallback", "event out of order: fallback, after token"),
            ("metadata token thinking", "event out of order: thinking, after token"),
            ("metadata sources_reorder", "event out of order: sources_reorder, after metadata"),
            ("metadata token done error", "event out of order: error, after done"),
            ("error done", "event out of order: done, after error"),
        ] {
            let mut sequence = Sequence::default();
            let outcome = names
                .split_whitespace()
                .try_for_each(|name| sequence.admit(&event(name)))
                .and_then(|()| sequence.end());
            assert_eq!(outcome.map_err(|it| it.to_string()).err().unwrap_or_default(), expected);
        }
    }

    #[test]
    fn an_event_is_two_lines_and_a_blank_one() {
        for (event, expected) in [
            (
                Event::Token("a\nb\r\n\"c\"".to_owned()),
                "event: token\ndata: \"a\\nb\\r\\n\\\"c\\\"\"\n\n",
            ),
            (Event::Done, "event: done\ndata: \n\n"),
            (
                event("fallback"),
                "event: fallback\ndata: {\"provider\":\"\",\"model\":\"\",\"reason\":\"\"}\n\n",
            ),
            (
                event("sources_reorder"),
                "event: sources_reorder\ndata: {\"reordered_sources\":[]}\n\n",
            ),
            (event("error"), "event: error\ndata: {\"detail\":\"\",\"error_code\":\"\"}\n\n"),
        ] {
            assert_eq!(event.encode(), expected);
        }
    }

    #[test]
    fn fragments_join_to_the_text() {
        let text = "One two three four five [1].\nSix — seven, ‘eight’ nine ten.  ";
        assert_eq!(fragments(text).concat(), text);
        assert_eq!(fragments(text).len(), 3);
        assert!(fragments("").is_empty());
    }
}
