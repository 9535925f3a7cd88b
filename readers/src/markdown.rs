//! Writes the Markdown that all readers end in: headings, paragraphs, lists and tables.

use std::collections::BTreeMap;

use crate::limits::{MAX_CELLS, MAX_DEPTH, MAX_TEXT_BYTES};

/// What a file says about itself: names in lower snake case, each with one or more values.
pub type Metadata = BTreeMap<String, Vec<String>>;

/// Longest header line of a table, in characters: a part of the table that is cut off takes it
/// along, and a passage must have room beside it.
const MAX_HEADER_CHARS: usize = 300;

/// What a file says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Content {
    /// Markdown.
    pub text: String,
    /// `title`, `author` and the like, where the file names them.
    pub metadata: Metadata,
    /// Bytes of `text` at which pages start, in order; empty for a format without pages.
    pub pages: Vec<usize>,
}

/// Writes Markdown block by block. Text goes in as it is and is escaped where Markdown would take
/// it for something else.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    content: Content,
    last: Last,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Last {
    #[default]
    Block,
    Item,
}

impl Writer {
    /// Starts the next page.
    pub(crate) fn page(&mut self) {
        self.separate("\n\n");
        self.content.pages.push(self.content.text.len());
        self.last = Last::Block;
    }

    /// A heading of level 1 to 6.
    pub(crate) fn heading(&mut self, level: usize, text: &str) {
        let text = inline(text);
        if !text.is_empty() {
            self.block(&format!("{} {text}", "#".repeat(level.clamp(1, 6))));
        }
    }

    /// A paragraph.
    pub(crate) fn paragraph(&mut self, text: &str) {
        self.block(&at_line_start(&inline(text)));
    }

    /// Lines that keep their breaks, such as code.
    pub(crate) fn lines(&mut self, text: &str) {
        let text = text.replace("```", "'''");
        if !text.trim().is_empty() {
            self.block(&format!("```\n{}\n```", text.trim_matches('\n')));
        }
    }

    /// An item of a list `depth` lists deep, from 0, with its number where the list is ordered.
    pub(crate) fn item(&mut self, depth: usize, number: Option<usize>, text: &str) {
        let text = at_line_start(&inline(text));
        if text.is_empty() {
            return;
        }
        self.separate(if self.last == Last::Item { "\n" } else { "\n\n" });
        // Three spaces are within the text of both `- ` and `1. `.
        let indent = "   ".repeat(depth.min(MAX_DEPTH));
        let marker = number.map_or_else(|| "-".to_owned(), |number| format!("{number}."));
        self.push(&format!("{indent}{marker} {text}"));
        self.last = Last::Item;
    }

    /// A table whose first row is the header; one whose header is too long to go with each of its
    /// parts becomes a list of records.
    pub(crate) fn table(&mut self, rows: &[Vec<String>]) {
        let width = rows.iter().map(Vec::len).max().unwrap_or(0).min(MAX_CELLS);
        let [header, body @ ..] = rows else { return };
        if body.is_empty() || width < 2 {
            for row in rows {
                self.paragraph(&row.join("; "));
            }
            return;
        }
        if header.iter().map(|it| it.chars().count() + 3).sum::<usize>() > MAX_HEADER_CHARS {
            return self.records(header, body);
        }
        let line = |row: &[String]| {
            let mut cells: Vec<String> =
                row.iter().take(width).map(|cell| inline(cell).replace('|', "\\|")).collect();
            cells.resize(width, String::new());
            format!("| {} |", cells.join(" | "))
        };
        let mut lines = vec![line(header), format!("|{}", "---|".repeat(width))];
        lines.extend(body.iter().map(|row| line(row)));
        self.block(&lines.join("\n"));
    }

    fn records(&mut self, header: &[String], body: &[Vec<String>]) {
        for row in body {
            let pairs = row.iter().enumerate().filter(|(_, cell)| !cell.trim().is_empty());
            let pairs = pairs.map(|(at, cell)| match header.get(at).map(|name| name.trim()) {
                Some(name) if !name.is_empty() => format!("{name}: {cell}"),
                _ => cell.clone(),
            });
            self.item(0, None, &pairs.collect::<Vec<_>>().join("; "));
        }
    }

    /// Records a value of the metadata; an empty one is left out.
    pub(crate) fn describe(&mut self, name: &str, value: &str) {
        let value = squeeze(value);
        if !value.is_empty() {
            self.content.metadata.entry(name.to_owned()).or_default().push(value);
        }
    }

    /// Whether there is more than may be; what comes after is not kept.
    pub(crate) fn is_full(&self) -> bool {
        self.content.text.len() > MAX_TEXT_BYTES
    }

    pub(crate) fn finish(mut self) -> Content {
        self.separate("\n");
        self.content
    }

    fn block(&mut self, text: &str) {
        if !text.is_empty() {
            self.separate("\n\n");
            self.push(text);
            self.last = Last::Block;
        }
    }

    fn separate(&mut self, separator: &str) {
        let length = self.content.text.trim_end_matches('\n').len();
        if length > 0 {
            self.content.text.truncate(length);
            self.content.text.push_str(separator);
        }
    }

    fn push(&mut self, text: &str) {
        if !self.is_full() {
            self.content.text.push_str(text);
        }
    }
}

/// One line, with single spaces and without what would be read as HTML.
fn inline(text: &str) -> String {
    let line = squeeze(text);
    let mut escaped = String::with_capacity(line.len());
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let next = letters.peek().copied().unwrap_or(' ');
        let opens = letter == '<' && (next.is_ascii_alphabetic() || "/!?".contains(next));
        if opens || letter == '\\' && next.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

/// Escapes what at the start of a line would open a heading, quote, list, rule, table or fence.
fn at_line_start(line: &str) -> String {
    let after = |digits: &str| line[digits.len()..].starts_with([')', '.']);
    let digits: String = line.chars().take_while(char::is_ascii_digit).collect();
    if !digits.is_empty() && digits.len() <= 9 && after(&digits) {
        let (number, rest) = line.split_at(digits.len());
        // `1914. The war` is a sentence; a list would number it anew.
        return format!("{number}\\{rest}");
    }
    let opens = line.starts_with(['#', '>', '|', '=', '~'])
        || line.starts_with("```")
        || line.starts_with(['-', '+', '*', '_'])
            && line[1..].chars().next().is_none_or(|it| " -*_".contains(it));
    if opens { format!("\\{line}") } else { line.to_owned() }
}

/// Single spaces, no control characters, none at the ends.
pub(crate) fn squeeze(text: &str) -> String {
    let is_gap = |letter: char| letter.is_whitespace() || letter.is_control();
    text.split(is_gap).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(write: impl Fn(&mut Writer), expected: &str) {
        let mut writer = Writer::default();
        write(&mut writer);
        assert_eq!(writer.finish().text, expected);
    }

    #[test]
    fn blocks() {
        check(
            |it| {
                it.heading(2, " A \n heading");
                it.item(0, None, "one");
                it.item(1, Some(2), "deeper");
                it.item(0, None, " ");
                it.paragraph("end");
                it.paragraph("");
            },
            "## A heading\n\n- one\n   2. deeper\n\nend\n",
        );
        check(|_| {}, "");
    }

    #[test]
    fn tables() {
        let row = |cells: &[&str]| cells.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        check(
            |it| it.table(&[row(&["Year", "Prize"]), row(&["1903", "a|b"]), row(&["1911"])]),
            "| Year | Prize |\n|---|---|\n| 1903 | a\\|b |\n| 1911 |  |\n",
        );
        check(|it| it.table(&[row(&["alone", "cells"])]), "alone; cells\n");
        let long = "wide ".repeat(70);
        check(
            |it| it.table(&[row(&[&long, "b"]), row(&["", "2"]), row(&["", "3", "4"])]),
            "- b: 2\n- b: 3; 4\n",
        );
    }

    #[test]
    fn text_is_not_taken_for_markup() {
        for (text, expected) in [
            ("# not a heading", "\\# not a heading"),
            ("- 5 degrees", "\\- 5 degrees"),
            ("-5 degrees", "-5 degrees"),
            ("1914. The war", "1914\\. The war"),
            ("Vec<u8> and a < b", "Vec\\<u8> and a < b"),
            ("---", "\\---"),
            ("a\0b\tc", "a b c"),
            ("C:\\Users \\* x", "C:\\Users \\\\* x"),
            ("*emphatic*", "*emphatic*"),
        ] {
            check(|it| it.paragraph(text), &format!("{expected}\n"));
        }
    }

    #[test]
    fn pages_start_where_their_text_starts() {
        let mut writer = Writer::default();
        writer.page();
        writer.paragraph("one");
        writer.page();
        writer.paragraph("two");
        let content = writer.finish();
        assert_eq!(
            content.pages.iter().map(|at| &content.text[*at..]).collect::<Vec<_>>(),
            ["one\n\ntwo\n", "two\n"]
        );
    }
}
