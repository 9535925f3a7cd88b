//! Late interaction: a question and a passage compared word piece by word piece.
//!
//! Each of the question's pieces finds the piece of the passage most like it, and the passage's
//! score is the mean of these similarities (ColBERT, Khattab and Zaharia 2020), weighted by how rare
//! the piece is: without the weights the words that every question has would decide.

use std::ops::Range;

use crate::{
    index::{Index, Pieces, QuestionPieces},
    model::{Encoded, Token},
    text::terms,
};

/// Pieces that weigh less than this share of the heaviest are left out: they cost time and move
/// nothing.
const LIGHTEST: f32 = 0.1;

/// The most that a piece of a stop word weighs: as much as one that half of the chunks have. Few
/// chunks ask, and "does" is rare in them.
const STOP_WORD: f32 = std::f32::consts::LN_2;

/// Words that stand for the person.
const PERSON: &[&str] = &[
    "he", "her", "hers", "him", "his", "i", "me", "my", "she", "their", "them", "they", "you",
    "your",
];

/// What a similarity to a chunk's header counts for one of its sentences.
const HEADER: f32 = 0.9;

/// A question's word pieces, each with its weight.
#[derive(Clone, Debug)]
pub struct Wording {
    pieces: QuestionPieces,
    /// Adds up to 1.
    weights: Vec<f32>,
}

impl Wording {
    /// Takes the pieces of the question `text`; `None` where the index has nothing to compare them
    /// with, or the question no words.
    ///
    /// Signs weigh nothing, nor does the person whose documents these are, by name or as "she" or
    /// "you", unless nothing else is said.
    pub(super) fn of(index: &Index, text: &str, encoded: &Encoded) -> Option<Self> {
        let pieces = index.pieces()?;
        let width = encoded.pooled.len();
        // `C++` and `C#` are names.
        let is_worded = |it: char| it.is_alphanumeric() || matches!(it, '+' | '#');
        let worded =
            |token: &Token| text.get(token.span.clone()).is_some_and(|it| it.contains(is_worded));
        let word = |token: &Token| word_at(text, &token.span);
        let subject = |token: &Token| {
            index.is_subject(word(token)) || PERSON.contains(&word(token).to_lowercase().as_str())
        };
        let only_subject = !encoded.tokens.iter().any(|it| worded(it) && !subject(it));
        let weight = |token: &Token| match worded(token) && (only_subject || !subject(token)) {
            true if terms::is_stop_word(word(token)) => pieces.rarity(token.id).min(STOP_WORD),
            true => pieces.rarity(token.id),
            false => 0.0,
        };
        let weights: Vec<f32> = encoded.tokens.iter().map(weight).collect();
        let lightest = LIGHTEST * weights.iter().copied().fold(0.0, f32::max);
        let kept = encoded.rows.chunks_exact(width).zip(weights).filter(|(_, it)| *it > lightest);
        let (rows, weights): (Vec<&[f32]>, Vec<f32>) = kept.unzip();
        let pieces = QuestionPieces::new(&rows);
        let sum: f32 = weights.iter().sum();
        let weights = weights.into_iter().map(|weight| weight / sum).collect();
        (sum > 0.0).then_some(Self { pieces, weights })
    }

    /// How many pieces a score is the mean of: as many as would weigh together what these do, all
    /// alike (the inverse of Simpson's index).
    pub(super) fn pieces(&self) -> f32 {
        1.0 / self.weights.iter().map(|weight| weight * weight).sum::<f32>()
    }

    /// How like the question a chunk is, from -1 to 1.
    pub(super) fn score(&self, pieces: &Pieces, ordinal: usize) -> f32 {
        self.mean(&self.best(pieces, ordinal))
    }

    /// The best similarity that each of the question's pieces finds in a chunk.
    fn best(&self, pieces: &Pieces, ordinal: usize) -> Vec<f32> {
        let mut best = vec![-1.0; self.pieces.len()];
        pieces.compare(&self.pieces, ordinal, |_, similarities| raise(&mut best, similarities));
        best
    }

    /// How like the question each of a chunk's `sentences` is, which are ranges of bytes of the
    /// text that was encoded. What stands before the first, the header, is true of them all.
    pub(crate) fn sentences(
        &self,
        index: &Index,
        ordinal: usize,
        sentences: &[Range<usize>],
    ) -> Option<Vec<f32>> {
        let mut best = vec![vec![-1.0; self.pieces.len()]; sentences.len()];
        let mut header = vec![-1.0; self.pieces.len()];
        index.pieces()?.compare(&self.pieces, ordinal, |start, similarities| {
            if sentences.first().is_some_and(|sentence| start < sentence.start) {
                raise(&mut header, similarities);
            }
            // Sentences are in order and do not overlap.
            let at = sentences.partition_point(|sentence| sentence.end <= start);
            if sentences.get(at).is_some_and(|sentence| sentence.contains(&start)) {
                raise(&mut best[at], similarities);
            }
        });
        header.iter_mut().for_each(|it| *it *= HEADER);
        best.iter_mut().for_each(|best| raise(best, &header));
        Some(best.iter().map(|best| self.mean(best)).collect())
    }

    fn mean(&self, best: &[f32]) -> f32 {
        best.iter().zip(&self.weights).map(|(best, weight)| best * weight).sum()
    }
}

fn raise(best: &mut [f32], similarities: &[f32]) {
    best.iter_mut().zip(similarities).for_each(|(best, it)| *best = best.max(*it));
}

/// The word of `text` that the bytes `span` are in.
fn word_at<'a>(text: &'a str, span: &Range<usize>) -> &'a str {
    let Some((before, after)) = text.split_at_checked(span.start) else { return "" };
    let is_end = |letter: char| !letter.is_alphanumeric();
    let start = before
        .rfind(is_end)
        .map_or(0, |at| at + before[at..].chars().next().map_or(0, char::len_utf8));
    let end = after.find(is_end).map_or(text.len(), |at| span.start + at);
    &text[start..end]
}

#[cfg(test)]
mod tests {
    use super::word_at;

    #[test]
    fn a_piece_is_in_its_word() {
        let text = "Did Łucja’s degree help?";
        for (at, expected) in [(0, "Did"), (4, "Łucja"), (6, "Łucja"), (15, "degree"), (25, "help")]
        {
            assert_eq!(word_at(text, &(at..at + 1)), expected, "{at}");
        }
        assert_eq!(word_at(text, &(99..100)), "");
    }
}
