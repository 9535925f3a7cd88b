//! The sentences of a passage, each with how like the question it is.

use std::ops::Range;

use super::Wording;
use crate::{index::Index, text};

/// A sentence that can be quoted.
#[derive(Clone, Debug, PartialEq)]
pub struct Sentence {
    /// As a reader sees it.
    pub text: String,
    /// How like the question, from -1 to 1; absent without late interaction.
    pub late: Option<f32>,
}

/// Returns the sentences of a chunk, in order.
pub fn sentences(index: &Index, ordinal: usize, wording: Option<&Wording>) -> Vec<Sentence> {
    let Some(chunk) = index.chunks().get(ordinal) else { return Vec::new() };
    let (preface, passage) = chunk.encoded_parts();
    let spans: Vec<Range<usize>> = text::sentences(&passage)
        .into_iter()
        .map(|sentence| {
            let start = sentence.as_ptr().addr() - passage.as_ptr().addr();
            start..start + sentence.len()
        })
        .collect();
    let encoded: Vec<Range<usize>> =
        spans.iter().map(|span| preface.len() + span.start..preface.len() + span.end).collect();
    let scores = wording.and_then(|wording| wording.sentences(index, ordinal, &encoded));
    let late = |at: usize| Some(*scores.as_ref()?.get(at)?);
    let sentence = |(at, span): (usize, Range<usize>)| Sentence {
        text: passage[span].to_owned(),
        late: late(at),
    };
    spans.into_iter().enumerate().map(sentence).collect()
}
