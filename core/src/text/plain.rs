//! Markdown to the plain words a reader sees, and those to sentences.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use unicode_segmentation::UnicodeSegmentation as _;

/// Renders Markdown as plain text: one line for each paragraph, list item or table row; heading
/// lines are left out. Cells of a row are joined to `header: cell` pairs, so that a row can be
/// quoted alone.
pub fn plain(markdown: &str) -> String {
    let mut lines = Lines::default();
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        lines.take(event);
    }
    lines.finish();
    lines.text
}

#[derive(Default)]
struct Lines {
    text: String,
    line: String,
    cells: Vec<String>,
    header: Vec<String>,
    in_heading: bool,
}

impl Lines {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(Tag::Heading { .. }) => {
                self.finish();
                self.in_heading = true;
            }
            Event::End(TagEnd::Heading(_)) => {
                self.in_heading = false;
                self.line.clear();
            }
            Event::Text(text) | Event::Code(text) | Event::InlineMath(text) if !self.in_heading => {
                self.line.push_str(&text);
            }
            Event::SoftBreak => self.line.push(' '),
            Event::End(TagEnd::TableCell) => self.cells.push(std::mem::take(&mut self.line)),
            Event::End(TagEnd::TableHead) => self.header = std::mem::take(&mut self.cells),
            Event::End(TagEnd::TableRow) => {
                let cells = std::mem::take(&mut self.cells);
                let pairs =
                    self.header.iter().zip(&cells).filter(|(_, cell)| !cell.trim().is_empty());
                self.line = pairs
                    .map(|(name, cell)| format!("{}: {}", name.trim(), cell.trim()))
                    .collect::<Vec<_>>()
                    .join("; ");
                self.finish();
            }
            Event::HardBreak
            | Event::Rule
            | Event::Start(Tag::Item | Tag::Paragraph | Tag::List(_))
            | Event::End(TagEnd::Item | TagEnd::Paragraph | TagEnd::CodeBlock) => self.finish(),
            _ => {}
        }
    }

    fn finish(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = line.trim();
        if !line.is_empty() {
            if !self.text.is_empty() {
                self.text.push('\n');
            }
            self.text.push_str(line);
        }
    }
}

/// Splits plain text into sentences; a line's end always ends one.
///
/// Unicode's rules (UAX 29) break after every full stop; a break after an initial, an abbreviation
/// or before a small letter is taken back.
pub fn sentences(plain: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    for line in plain.lines() {
        let mut start = 0;
        let mut bounds = line.split_sentence_bound_indices().peekable();
        while let Some((at, piece)) = bounds.next() {
            let end = at + piece.len();
            let next = bounds.peek().and_then(|(_, next)| next.chars().next());
            if next.is_some_and(|next| next.is_lowercase() || abbreviated(&line[start..end])) {
                continue;
            }
            sentences.extend(Some(line[start..end].trim()).filter(|sentence| !sentence.is_empty()));
            start = end;
        }
    }
    sentences
}

/// Whether `text` ends in an initial (`P.`) or a common abbreviation.
pub(crate) fn abbreviated(text: &str) -> bool {
    let last = text.trim_end().rsplit(char::is_whitespace).next().unwrap_or_default();
    let Some(word) = last.strip_suffix('.') else { return false };
    let word = word.trim_start_matches(['(', '"', '\'']);
    word.chars().count() == 1 && word.chars().all(char::is_uppercase)
        || [
            "Dr", "Mr", "Mrs", "Ms", "Prof", "St", "No", "vol", "pp", "ca", "c", "e.g", "i.e",
            "Mme", "M",
        ]
        .contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text() {
        for (markdown, expected) in [
            ("## H\n\nSome **bold** [link](x) `code`\nnext.", "Some bold link code next."),
            ("- one\n- two\n  - three", "one\ntwo\nthree"),
            (
                "| Year | Prize |\n|---|---|\n| 1903 | Davy |\n| 1911 | |",
                "Year: 1903; Prize: Davy\nYear: 1911",
            ),
            ("C# and 2 - 3, snake_case_name", "C# and 2 - 3, snake_case_name"),
        ] {
            assert_eq!(plain(markdown), expected, "{markdown}");
        }
    }

    #[test]
    fn splits_sentences() {
        let check = |text, expected: &[&str]| assert_eq!(sentences(text), expected);
        check("One. Two! Three?\nFour", &["One.", "Two!", "Three?", "Four"]);
        check(
            "Dr. Smith met P. Curie in 1894. They married.",
            &["Dr. Smith met P. Curie in 1894.", "They married."],
        );
        check("A mass of 0.1 g was weighed.", &["A mass of 0.1 g was weighed."]);
        check("", &[]);
    }
}
