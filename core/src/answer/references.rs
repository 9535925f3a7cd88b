//! Lists of references behind an answer, left out: its citations say the same.
//!
//! `Sources:` on a line of its own and all that follows, lines like `[1] prizes.md` or
//! `[2] Prizes and medals`, and lines of nothing but citations.

use super::citation::Piece;

/// Headings of such a list.
const HEADINGS: &[&str] = &["references", "sources", "citations", "bibliography"];
/// Endings of file names in one.
const FILES: &[&str] =
    &[".md", ".pdf", ".txt", ".docx", ".html", ".htm", ".json", ".yaml", ".yml", ".csv"];

/// Leaves lists of references out. Feed it pieces, then [`finish`](Self::finish) it.
#[derive(Debug)]
pub(super) struct References {
    /// Titles of the documents, in small letters.
    titles: Vec<String>,
    /// The beginning of a line that may be one of a list.
    waiting: Vec<Piece>,
    /// Whether any text came before: a list stands behind an answer.
    started: bool,
    line_start: bool,
    skip: Skip,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Skip {
    #[default]
    Nothing,
    Line,
    Rest,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Line {
    Undecided,
    Text,
    /// A heading: nothing after it is answer.
    Heading,
    /// An entry, as far as it has come.
    Entry,
}

impl References {
    /// Knows the titles that entries may have.
    pub(super) fn new<'a>(titles: impl Iterator<Item = &'a str>) -> Self {
        Self {
            titles: titles.map(str::to_lowercase).collect(),
            waiting: Vec::new(),
            started: false,
            line_start: false,
            skip: Skip::Nothing,
        }
    }

    /// Takes one piece; appends to `out` what is no reference.
    pub(super) fn take(&mut self, piece: Piece, out: &mut Vec<Piece>) {
        let line_ends = piece == Piece::Letter('\n');
        match self.skip {
            Skip::Rest => return,
            Skip::Line if !line_ends => return,
            Skip::Line | Skip::Nothing => self.skip = Skip::Nothing,
        }
        let blank = matches!(piece, Piece::Letter(letter) if letter.is_whitespace());
        if self.waiting.is_empty() && (!self.line_start || !self.started || blank) {
            self.started |= !blank;
            self.line_start = line_ends || self.line_start && blank;
            return out.push(piece);
        }
        self.waiting.push(piece);
        self.decide(line_ends, out);
    }

    /// Ends the text.
    pub(super) fn finish(&mut self, out: &mut Vec<Piece>) {
        self.decide(true, out);
    }

    fn decide(&mut self, line_ends: bool, out: &mut Vec<Piece>) {
        match self.line(line_ends) {
            Line::Undecided => return,
            Line::Text => out.append(&mut self.waiting),
            Line::Heading => self.skip = Skip::Rest,
            Line::Entry if !line_ends => self.skip = Skip::Line,
            Line::Entry => {}
        }
        self.waiting.clear();
        self.line_start = line_ends;
    }

    /// What the line that waits is.
    fn line(&self, line_ends: bool) -> Line {
        let citations = self.waiting.iter().take_while(|piece| match piece {
            Piece::Citation(_) => true,
            Piece::Letter(letter) => matches!(letter, ' ' | ',' | ':' | '-' | '–'),
        });
        let citations = citations.count();
        let rest = self.waiting.get(citations..).unwrap_or_default();
        let cited = rest.iter().any(|piece| matches!(piece, Piece::Citation(_)));
        let letters = rest.iter().filter_map(|piece| match piece {
            Piece::Letter(letter) => Some(*letter),
            Piece::Citation(_) => None,
        });
        let text = letters.collect::<String>().to_lowercase();
        if citations == 0 {
            return heading(&text, cited, line_ends);
        }
        let text = text.trim_start();
        let end = text.find(char::is_whitespace);
        let first = text[..end.unwrap_or(text.len())].trim_end_matches([',', ';', ')']);
        let whole = text.trim_end_matches(|it: char| it.is_whitespace() || it == '.');
        let named = |title: &&String| {
            whole.strip_prefix(title.as_str()).is_some_and(|rest| {
                rest.is_empty() || rest.trim_start().starts_with(['›', '>', ',', '(', '-', '–'])
            })
        };
        let file = FILES.iter().any(|ending| first.len() > ending.len() && first.ends_with(ending));
        if (file || self.titles.iter().any(|it| named(&it))) && (line_ends || file && end.is_some())
        {
            Line::Entry
        } else if line_ends {
            if text.is_empty() { Line::Entry } else { Line::Text }
        } else if cited {
            Line::Text
        } else if end.is_none() || self.titles.iter().any(|it| it.starts_with(whole) || named(&it))
        {
            Line::Undecided
        } else {
            Line::Text
        }
    }
}

/// Whether a line that begins with `text` is the heading of a list.
fn heading(text: &str, cited: bool, line_ends: bool) -> Line {
    let name = text.trim_end_matches(|it: char| it.is_whitespace() || it == ':');
    if HEADINGS.contains(&name) {
        match line_ends || cited && text.contains(':') {
            true => Line::Heading,
            false if cited => Line::Text,
            false => Line::Undecided,
        }
    } else if !line_ends && !cited && HEADINGS.iter().any(|it| it.starts_with(text)) {
        Line::Undecided
    } else {
        Line::Text
    }
}

#[cfg(test)]
mod tests {
    use super::{super::citation::Citations, *};

    fn answer(text: &str) -> String {
        let mut citations = Citations::default();
        let mut references = References::new(["Prizes and medals"].into_iter());
        let (mut pieces, mut kept) = (Vec::new(), Vec::new());
        text.chars().for_each(|letter| citations.take(letter, &mut pieces));
        citations.finish(&mut pieces);
        pieces.into_iter().for_each(|piece| references.take(piece, &mut kept));
        references.finish(&mut kept);
        let text = |piece: &Piece| match piece {
            Piece::Letter(letter) => letter.to_string(),
            Piece::Citation(numbers) => format!("{numbers:?}"),
        };
        kept.iter().map(text).collect()
    }

    #[test]
    fn lists_of_references_go() {
        for (text, expected) in [
            ("Yes [1].\n\nReferences:\n[1] a.md\n[2] b.md", "Yes [1].\n\n"),
            ("Yes [1].\nSources: [1] a, [2] b", "Yes [1].\n"),
            ("Yes [1].\nSources\n1. a", "Yes [1].\n"),
            ("Yes [1].\n[1] prizes.md\n[2]: cv.pdf, page 2\n", "Yes [1].\n\n"),
            ("Yes [1].\n[1] Prizes and medals\n[1] Prizes and medals › Davy", "Yes [1].\n"),
            ("Yes.\n[1][2]", "Yes.\n"),
        ] {
            assert_eq!(answer(text), expected, "{text}");
        }
    }

    #[test]
    fn answers_stay() {
        for text in [
            "Sources: maps [1]",
            "[1] She was born.",
            "Yes.\n[1] She was born.\n[1] Prizes and money came.",
            "Two kinds.\nSources of data were maps [1].\nReferenced works too.",
            "Her data sources:\nmaps [1]",
            "a\nsources: maps",
            "",
        ] {
            assert_eq!(answer(text), text);
        }
    }
}
