//! Ellipses: what a fragment such as "and in 1911?" leaves out, taken from the question before it.

use std::ops::Range;

use super::token::{PREPOSITIONS, Token, is_function, names, tokens};
use crate::{index::Index, text::terms::terms};

/// What is left of a question when its opening is gone: "in 1911", "the Matteucci Medal".
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Fragment {
    text: String,
    words: Vec<Token>,
}

/// A question with a fragment in the place of what it answers to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Filled {
    /// The question.
    pub(super) text: String,
    /// Whether another place was possible.
    pub(super) unsure: bool,
}

impl Fragment {
    /// The part of `question` that `words` span.
    pub(super) fn new(question: &str, words: &[Token]) -> Self {
        let start = words.first().map_or(0, |it| it.span.start);
        let end = words.last().map_or(start, |it| it.span.end);
        let text = question.get(start..end).unwrap_or_default().to_owned();
        Self {
            words: tokens(&text)
                .into_iter()
                .zip(words)
                .map(|(new, old)| Token { name: old.name, ..new })
                .collect(),
            text,
        }
    }
}

/// Puts `fragment` into `question` where it has something of the same kind: a year, an ordinal, the
/// same preposition, the same noun, a name. `None` where it has not.
pub(super) fn fill(question: &str, fragment: &Fragment, index: &Index) -> Option<Filled> {
    let words = tokens(question);
    let (place, with, unsure) = year(&words, fragment)
        .or_else(|| ordinal(&words, fragment))
        .or_else(|| noun(&words, fragment))
        .or_else(|| preposition(&words, fragment))
        .or_else(|| name(&words, fragment, index))?;
    let (first, last) = (words.get(place.start)?, words.get(place.end.checked_sub(1)?)?);
    let with = fragment.text.get(with)?;
    let text = format!("{}{with}{}", &question[..first.span.start], &question[last.span.end..]);
    Some(Filled { text, unsure })
}

/// Words to be replaced, bytes of the fragment to replace them with, and whether that is a guess.
type Place = (Range<usize>, Range<usize>, bool);

fn year(words: &[Token], fragment: &Fragment) -> Option<Place> {
    let (year, rest) = fragment.words.split_last()?;
    let alone = rest.iter().all(|it| is_function(&it.word) || it.is(&["year"]));
    let at = words.iter().rposition(Token::is_year).filter(|_| alone && year.is_year())?;
    Some((at..at + 1, year.span.clone(), false))
}

fn ordinal(words: &[Token], fragment: &Fragment) -> Option<Place> {
    let own = fragment.words.iter().find(|it| it.is(ORDINALS))?;
    let rest = fragment.words.iter().filter(|it| !it.is(ORDINALS));
    let alone = rest.clone().all(|it| it.is(&["the", "one", "her", "his", "my", "your", "their"]));
    let at = words.iter().rposition(|it| it.is(ORDINALS)).filter(|_| alone)?;
    Some((at..at + 1, own.span.clone(), false))
}

/// "the Davy Medal" and "the Matteucci Medal": one noun, other words before it.
fn noun(words: &[Token], fragment: &Fragment) -> Option<Place> {
    let own = phrase(&fragment.words)?;
    let head = fragment.words.get(own.end.checked_sub(1)?)?;
    let stem = terms(&head.word);
    let at = words.iter().rposition(|it| !stem.is_empty() && terms(&it.word) == stem)?;
    let modifiers = words[..at].iter().rev().take_while(|it| !is_function(&it.word) && !it.closes);
    let start = at - modifiers.count();
    if own.len() < 2 || start == at && own.len() > 2 {
        return None;
    }
    let from = fragment.words.get(own.start)?.span.start;
    Some((start..at + 1, from..head.span.end, false))
}

/// "in Warsaw" and "in Paris".
fn preposition(words: &[Token], fragment: &Fragment) -> Option<Place> {
    let own = fragment.words.iter().position(|it| it.is(PREPOSITIONS))?;
    let led =
        fragment.words[..own].iter().all(|it| it.is(&["the", "one", "ones", "that", "those"]));
    let word = &fragment.words[own];
    let at = words.iter().rposition(|it| it.word == word.word).filter(|_| led)?;
    let object = words[at + 1..].iter().enumerate();
    let mut end = at + 1;
    for (n, it) in object {
        if is_function(&it.word) && !it.is(&["the", "a", "an", "her", "his", "my", "your"]) {
            break;
        }
        end = at + 2 + n;
        if it.closes {
            break;
        }
    }
    let last = fragment.words.last()?.span.end;
    (end > at + 1).then_some((at..end, word.span.start..last, false))
}

/// "Brazil" and "Italy": the one name of the question gives way.
fn name(words: &[Token], fragment: &Fragment, index: &Index) -> Option<Place> {
    let own = names(&fragment.words, index);
    let [own] = own.as_slice() else { return None };
    let others = fragment.words.iter().enumerate().filter(|(at, _)| !own.contains(at));
    if others.into_iter().any(|(_, it)| !is_function(&it.word)) {
        return None;
    }
    let theirs = names(words, index);
    let [theirs] = theirs.as_slice() else { return None };
    let (first, last) = (fragment.words.get(own.start)?, fragment.words.get(own.end - 1)?);
    Some((theirs.clone(), first.span.start..last.span.end, true))
}

/// The words of a fragment without what goes before its noun phrase and what hangs on it.
fn phrase(words: &[Token]) -> Option<Range<usize>> {
    let start = words.iter().position(|it| !is_function(&it.word))?;
    let rest = words[start..].iter().take_while(|it| !is_function(&it.word));
    Some(start..start + rest.count())
}

/// Words that count.
pub(super) const ORDINALS: &[&str] = &[
    "first", "second", "third", "fourth", "fifth", "sixth", "last", "next", "previous", "1st",
    "2nd", "3rd", "4th", "5th", "6th",
];
