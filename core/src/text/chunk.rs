//! Documents to chunks: the passages that are searched, shown and cited.
//!
//! A section starts at every heading of level 1 to 3. A section that fits is one chunk; a longer
//! one is cut between its blocks (paragraphs, lists, tables, fences), and a block that alone is
//! too long between its items, rows, lines or sentences. Nothing is repeated between chunks: the
//! heading path that goes with each says where it belongs.

use std::{collections::BTreeMap, ops::Range};

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use unicode_segmentation::UnicodeSegmentation as _;

use super::{Document, Metadata, slug};

/// Longest chunk, in characters of its text. 900 characters are some 200 word pieces: with its
/// heading path a chunk stays within what the encoder reads.
pub const MAX_CHUNK_CHARS: usize = 900;

/// A passage of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    /// `<document>#<slug of the heading path>:<n>`, `n` counting within the section from 0, so
    /// that a change in one section leaves the ids of all others alone.
    pub id: String,
    /// Path of the file, relative to the ingested folder.
    pub source: String,
    /// Title of the document.
    pub title: String,
    /// Headings above the passage, outermost first.
    pub heading: Vec<String>,
    /// The passage, as written.
    pub text: String,
    /// Where `text` lies in the file, in bytes.
    pub span: Range<usize>,
    /// The document's metadata.
    pub metadata: Metadata,
}

impl Chunk {
    /// The line that says where the passage belongs; it goes before the text in both indexes.
    pub fn context(&self) -> String {
        let mut parts = vec![self.title.as_str()];
        parts.extend(self.heading.iter().map(String::as_str).filter(|part| *part != self.title));
        parts.join(" › ")
    }

    /// What is indexed: context and text.
    pub fn indexed_text(&self) -> String {
        format!("{}\n{}", self.context(), self.text)
    }
}

/// Cuts a document into chunks, in reading order.
pub fn chunks(document: &Document) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for section in sections(document) {
        let path = slug(&section.heading.join(" > "));
        let name = if path.is_empty() { "start".to_owned() } else { path };
        let count = seen.entry(name.clone()).or_insert(0);
        *count += 1;
        let name = if *count == 1 { name } else { format!("{name}-{count}") };
        for (n, span) in section.cut(&document.text).into_iter().enumerate() {
            chunks.push(Chunk {
                id: format!("{}#{name}:{n}", document.id),
                source: document.source.clone(),
                title: document.title(),
                heading: section.heading.clone(),
                text: document.text[span.clone()].to_owned(),
                span,
                metadata: document.metadata.clone(),
            });
        }
    }
    chunks
}

/// The text under one heading.
struct Section {
    heading: Vec<String>,
    /// Blocks in order, each with the places at which it may be cut.
    blocks: Vec<Block>,
}

struct Block {
    span: Range<usize>,
    cuts: Vec<usize>,
}

fn sections(document: &Document) -> Vec<Section> {
    let body = &document.text[document.body..];
    let mut sections = vec![Section { heading: Vec::new(), blocks: Vec::new() }];
    let mut path: Vec<(HeadingLevel, String)> = Vec::new();
    let mut depth = 0_usize;
    let mut title: Option<(HeadingLevel, String)> = None;
    for (event, span) in Parser::new_ext(body, Options::ENABLE_TABLES).into_offset_iter() {
        let span = span.start + document.body..span.end + document.body;
        match event {
            Event::Start(Tag::Heading { level, .. }) if depth == 0 && level <= HeadingLevel::H3 => {
                title = Some((level, String::new()));
                depth += 1;
            }
            Event::End(TagEnd::Heading(_)) if title.is_some() => {
                depth -= 1;
                if let Some((level, text)) = title.take() {
                    path.retain(|(above, _)| *above < level);
                    path.push((level, text.trim().to_owned()));
                    let heading = path.iter().map(|(_, text)| text.clone()).collect();
                    sections.push(Section { heading, blocks: Vec::new() });
                }
            }
            Event::Text(text) | Event::Code(text) if title.is_some() => {
                if let Some((_, title)) = &mut title {
                    title.push_str(&text);
                }
            }
            Event::Start(tag) => {
                if depth == 0
                    && let Some(section) = sections.last_mut()
                {
                    section.blocks.push(Block { span: span.clone(), cuts: Vec::new() });
                }
                if matches!(tag, Tag::Item | Tag::TableRow) {
                    cut_at(&mut sections, span.start);
                }
                depth += 1;
            }
            Event::End(_) => depth -= 1,
            Event::Rule => {}
            _ if depth == 0 => {
                if let Some(section) = sections.last_mut() {
                    section.blocks.push(Block { span, cuts: Vec::new() });
                }
            }
            _ => {}
        }
    }
    sections.retain(|section| !section.blocks.is_empty());
    sections
}

fn cut_at(sections: &mut [Section], at: usize) {
    if let Some(block) = sections.last_mut().and_then(|section| section.blocks.last_mut()) {
        block.cuts.push(at);
    }
}

impl Section {
    /// Spans of the section's chunks: pieces joined greedily while they fit.
    fn cut(&self, text: &str) -> Vec<Range<usize>> {
        let mut spans: Vec<Range<usize>> = Vec::new();
        for piece in self.blocks.iter().flat_map(|block| block.pieces(text)) {
            match spans.last_mut() {
                Some(last) if length(&text[last.start..piece.end]) <= MAX_CHUNK_CHARS => {
                    last.end = piece.end;
                }
                _ => spans.push(piece),
            }
        }
        spans.into_iter().map(|span| trim(text, span)).filter(|span| !span.is_empty()).collect()
    }
}

impl Block {
    /// The block, or where it is too long its items or rows, or its sentences, or bare lengths.
    fn pieces(&self, text: &str) -> Vec<Range<usize>> {
        let mut pieces = Vec::new();
        let starts = self.cuts.iter().copied().filter(|at| *at > self.span.start);
        let mut start = self.span.start;
        for end in starts.chain([self.span.end]) {
            pieces.push(start..end);
            start = end;
        }
        if length(&text[self.span.clone()]) <= MAX_CHUNK_CHARS {
            return vec![self.span.clone()];
        }
        pieces.into_iter().flat_map(|piece| short(text, piece)).collect()
    }
}

/// Cuts `span` after sentences, and a sentence that is still too long after words or characters.
fn short(text: &str, span: Range<usize>) -> Vec<Range<usize>> {
    if length(&text[span.clone()]) <= MAX_CHUNK_CHARS {
        return vec![span];
    }
    let mut pieces: Vec<Range<usize>> = Vec::new();
    let mut add = |start: usize, end: usize| match pieces.last_mut() {
        Some(last) if length(&text[last.start..end]) <= MAX_CHUNK_CHARS => last.end = end,
        _ => pieces.push(start..end),
    };
    for (at, sentence) in text[span.clone()].split_sentence_bound_indices() {
        let start = span.start + at;
        if length(sentence) <= MAX_CHUNK_CHARS {
            add(start, start + sentence.len());
            continue;
        }
        for (at, word) in sentence.split_word_bound_indices() {
            let mut from = start + at;
            let end = from + word.len();
            while length(&text[from..end]) > MAX_CHUNK_CHARS {
                let next = text[from..]
                    .char_indices()
                    .nth(MAX_CHUNK_CHARS)
                    .map_or(end, |(at, _)| from + at);
                add(from, next);
                from = next;
            }
            add(from, end);
        }
    }
    pieces
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn trim(text: &str, span: Range<usize>) -> Range<usize> {
    let slice = &text[span.clone()];
    let start = span.start + (slice.len() - slice.trim_start().len());
    start..start + slice.trim().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<Chunk> {
        chunks(&Document::read("doc.md", text.as_bytes().to_vec()).unwrap())
    }

    fn check(text: &str, expected: &[(&str, &str)]) {
        let chunks = cut(text);
        let shown: Vec<(&str, &str)> =
            chunks.iter().map(|chunk| (chunk.id.as_str(), chunk.text.as_str())).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn sections_follow_headings() {
        check(
            "intro\n\n# A\n\ntext\n\n## B `c`\n\n- x\n- y\n\n#### deep\n\nz\n\n## B c\nagain",
            &[
                ("doc#start:0", "intro"),
                ("doc#a:0", "text"),
                ("doc#a-b-c:0", "- x\n- y\n\n#### deep\n\nz"),
                ("doc#a-b-c-2:0", "again"),
            ],
        );
    }

    #[test]
    fn headings_in_fences_and_quotes_are_text() {
        check(
            "# A\n\n```sh\n# not a heading\n```\n\n> # quoted",
            &[("doc#a:0", "```sh\n# not a heading\n```\n\n> # quoted")],
        );
    }

    #[test]
    fn a_change_in_one_section_leaves_other_ids_alone() {
        let ids = |text| cut(text).into_iter().map(|chunk| chunk.id).collect::<Vec<_>>();
        let before = ids("# A\n\none\n\n# B\n\ntwo");
        let after = ids(&format!("# A\n\n{}\n\n# B\n\ntwo", "long ".repeat(400)));
        assert_eq!(before.last(), after.last());
    }

    #[test]
    fn spans_point_into_the_file() {
        let text = "---\ntitle: T\n---\n# Ä\n\nfirst\n\n## Ö\n\nsecond";
        for chunk in cut(text) {
            assert_eq!(&text[chunk.span.clone()], chunk.text);
        }
    }

    #[test]
    fn no_chunk_is_longer_than_the_limit_and_no_letter_is_lost() {
        let list: String = (0..80).map(|n| format!("- item number {n} of a long list\n")).collect();
        for body in [
            "word ".repeat(2_000),
            "x".repeat(5_000),
            "ü".repeat(3_000),
            list,
            format!("```\n{}```", "code line;\n".repeat(300)),
            "A sentence of some words. ".repeat(200),
        ] {
            let chunks = cut(&format!("# {}\n\n{body}", "Long heading ".repeat(60)));
            assert!(chunks.iter().all(|chunk| length(&chunk.text) <= MAX_CHUNK_CHARS));
            let letters = |text: &str| text.chars().filter(|it| !it.is_whitespace()).count();
            let kept: usize = chunks.iter().map(|chunk| letters(&chunk.text)).sum();
            assert_eq!(kept, letters(&body));
        }
    }

    #[test]
    fn lists_are_cut_between_items() {
        let list: String = (0..80).map(|n| format!("- item {n} of a long list\n")).collect();
        assert!(
            cut(&list)
                .iter()
                .all(|chunk| chunk.text.starts_with("- item") && chunk.text.ends_with("list"))
        );
    }
}
