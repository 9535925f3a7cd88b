//! Citations in a text that arrives letter by letter: `[1]`, `[1, 2]`, `[1-3]`, `【1】`, `[1†source]`.

/// Longest citation, in characters: `[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]` has one less. A bracket
/// that is open for longer is text.
const MAX_CHARS: usize = 32;
/// Digits of a number; four are a year.
const MAX_DIGITS: usize = 3;
/// Most numbers that a range stands for.
const MAX_RANGE: usize = 20;

/// A part of the text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Piece {
    /// A letter of the text.
    Letter(char),
    /// The numbers of one citation, as they were written.
    Citation(Vec<usize>),
}

/// Finds citations. Feed it letters, then [`finish`](Self::finish) it.
#[derive(Debug, Default)]
pub(super) struct Citations {
    /// An open bracket and what follows it.
    waiting: String,
}

impl Citations {
    /// Takes one letter; appends to `out` what is decided by now.
    pub(super) fn take(&mut self, letter: char, out: &mut Vec<Piece>) {
        let Some(bracket) = self.waiting.chars().next() else {
            if matches!(letter, '[' | '【') {
                self.waiting.push(letter);
            } else {
                out.push(Piece::Letter(letter));
            }
            return;
        };
        let closing = if bracket == '[' { ']' } else { '】' };
        if letter == closing {
            let inner = &self.waiting[bracket.len_utf8()..];
            match numbers(inner) {
                Some(numbers) => {
                    self.waiting.clear();
                    out.push(Piece::Citation(numbers));
                }
                None => {
                    self.finish(out);
                    out.push(Piece::Letter(letter));
                }
            }
            return;
        }
        let source = self.waiting.contains('†');
        let belongs = letter.is_ascii_digit()
            || matches!(letter, ',' | ';' | '&' | ' ' | '-' | '–' | '^' | '†')
            || source && !letter.is_control() && letter != '[';
        if belongs && self.waiting.chars().count() + 1 < MAX_CHARS {
            self.waiting.push(letter);
        } else {
            self.finish(out);
            self.take(letter, out);
        }
    }

    /// Ends the text; an open bracket was text.
    pub(super) fn finish(&mut self, out: &mut Vec<Piece>) {
        out.extend(self.waiting.drain(..).map(Piece::Letter));
    }
}

/// `text` without its citations, nor the spaces before them.
pub(super) fn without_citations(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Letter(letter) => kept.push(letter),
            Piece::Citation(_) => kept.truncate(kept.trim_end_matches(' ').len()),
        }
    }
    kept
}

fn pieces(text: &str) -> Vec<Piece> {
    let (mut citations, mut pieces) = (Citations::default(), Vec::new());
    text.chars().for_each(|letter| citations.take(letter, &mut pieces));
    citations.finish(&mut pieces);
    pieces
}

/// The numbers between two brackets, or `None` where there is something else.
fn numbers(inner: &str) -> Option<Vec<usize>> {
    let inner = inner.split('†').next().unwrap_or_default().replace('–', "-").replace(" - ", "-");
    let number = |part: &str| {
        let digits = part.trim_start_matches('^');
        (digits.len() <= MAX_DIGITS).then(|| digits.parse::<usize>().ok()).flatten()
    };
    let mut numbers = Vec::new();
    for part in inner.split([',', ';', '&', ' ']).filter(|part| !part.is_empty()) {
        match part.split_once('-') {
            None => numbers.push(number(part)?),
            Some((from, to)) => {
                let (from, to) = (number(from)?, number(to)?);
                if from > to {
                    return None;
                }
                numbers.extend((from..=to).take(MAX_RANGE));
            }
        }
    }
    (!numbers.is_empty()).then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_citation() {
        for (text, expected) in [
            ("[1]", Some(vec![1])),
            ("[1, 2;3 & 4]", Some(vec![1, 2, 3, 4])),
            ("[ 12 ]", Some(vec![12])),
            ("[1-3]", Some(vec![1, 2, 3])),
            ("[1 – 2, 5]", Some(vec![1, 2, 5])),
            ("[^2]", Some(vec![2])),
            ("【1】", Some(vec![1])),
            ("【3†L3-L5】", Some(vec![3])),
            ("[1†source]", Some(vec![1])),
            ("[]", None),
            ("[a]", None),
            ("[2021]", None),
            ("[3-1]", None),
            ("[1,\n2]", None),
            ("[1】", None),
            ("[1-2-3]", None),
            ("[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]", None),
        ] {
            let expected = match expected {
                Some(numbers) => vec![Piece::Citation(numbers)],
                None => text.chars().map(Piece::Letter).collect(),
            };
            assert_eq!(pieces(text), expected, "{text}");
        }
        assert_eq!(
            pieces("[1[2]"),
            [Piece::Letter('['), Piece::Letter('1'), Piece::Citation(vec![2])]
        );
    }

    #[test]
    fn a_stray_bracket_waits_for_no_more_than_the_next_letter() {
        let (mut citations, mut pieces) = (Citations::default(), Vec::new());
        "array[i".chars().for_each(|letter| citations.take(letter, &mut pieces));
        assert_eq!(pieces.len(), 7);
    }

    #[test]
    fn takes_citations_out() {
        assert_eq!(
            without_citations("Born in Warsaw [1], 1867 [2][3]. [x]"),
            "Born in Warsaw, 1867. [x]"
        );
    }
}
