//! Documents to chunks: the passages that are searched, shown and cited.
//!
//! A section starts at every heading of level 1 to 3. A section that fits is one chunk; a longer
//! one is cut between its blocks (paragraphs, lists, tables, fences), and a block that alone is
//! too long between its items, rows, lines or sentences. A chunk never goes over the end of a page.
//! Nothing is repeated in the text of chunks: the heading path that goes with each says where it
//! belongs, and the rows of a table and the items of a list that are cut off from its beginning
//! carry the header, or the sentence that leads in to the list, apart from their text.

use std::{collections::BTreeMap, ops::Range};

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use unicode_segmentation::UnicodeSegmentation as _;

use super::{Document, Metadata, plain, sentences, slug};

/// Longest chunk, in characters of its text. 900 characters are some 200 word pieces: with its
/// heading path a chunk stays within what the encoder reads.
pub const MAX_CHUNK_CHARS: usize = 900;

/// Longest [`Chunk::lead`], in characters; it leaves half of a chunk to the passage.
const MAX_LEAD_CHARS: usize = MAX_CHUNK_CHARS / 2;

/// Longest [`Chunk::summary`], in characters: some forty word pieces of each chunk's.
const MAX_SUMMARY_CHARS: usize = 160;

/// Metadata with a date that questions ask for; the date of a document's version is not one.
const DATES: [&str; 4] = ["date", "earned", "issued", "expires"];

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
    /// What belongs before `text` but was written further up: the header of its table, the
    /// sentence that leads in to its list. Mostly empty; ends where `text` can follow.
    pub lead: String,
    /// The passage, as written.
    pub text: String,
    /// Where `text` lies in the document's Markdown, in bytes.
    pub span: Range<usize>,
    /// The page of the file that it is on, from 1; `None` in a file without pages.
    pub page: Option<u32>,
    /// What the document is about: its first sentence.
    pub summary: String,
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

    /// What is shown and quoted: lead and text.
    pub fn passage(&self) -> String {
        format!("{}{}", self.lead, self.text)
    }

    /// The header that goes before the passage in both legs: whose document it is, unless a heading
    /// says so, the [`context`](Self::context) and the document's dates.
    pub(crate) fn header(&self) -> String {
        let values = |name: &str| self.metadata.get(name).map(|values| values.join(", "));
        let person = values("person").filter(|person| !self.heading.contains(person));
        let person = person.map(|person| format!("{person} › ")).unwrap_or_default();
        let dates = DATES.iter().filter_map(|name| Some(format!("{name} {}", values(name)?)));
        let dates = dates.map(|date| format!(" ({date})")).collect::<String>();
        format!("{person}{}{dates}", self.context())
    }

    /// What the lexical leg reads.
    pub fn lexical_text(&self) -> String {
        format!("{}\n{}{}", self.header(), self.lead, self.text)
    }

    /// What the encoder reads: header and summary, then the passage as a reader sees it.
    pub fn encoded_text(&self) -> String {
        let (preface, passage) = self.encoded_parts();
        preface + &passage
    }

    /// The two parts of [`encoded_text`](Self::encoded_text): what goes before the passage, and the
    /// passage in plain words. A passage that has the summary itself goes without it.
    pub(crate) fn encoded_parts(&self) -> (String, String) {
        let passage = plain(&self.passage());
        let preface = match passage.contains(&self.summary) {
            true => format!("{}\n", self.header()),
            false => format!("{} ({})\n", self.header(), self.summary),
        };
        (preface, passage)
    }
}

/// Cuts a document into chunks, in reading order.
pub fn chunks(document: &Document) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut summary: Option<String> = None;
    for section in sections(document) {
        let path = slug(&section.heading.join(" > "));
        let name = if path.is_empty() { "start".to_owned() } else { path };
        let count = seen.entry(name.clone()).or_insert(0);
        *count += 1;
        let name = if *count == 1 { name } else { format!("{name}-{count}") };
        for (n, Piece { lead, span }) in section.cut(document).into_iter().enumerate() {
            let summary =
                summary.get_or_insert_with(|| first_sentence(&document.text[span.clone()]));
            chunks.push(Chunk {
                id: format!("{}#{name}:{n}", document.id),
                source: document.source.clone(),
                title: document.title(),
                heading: section.heading.clone(),
                lead: document.text[lead].to_owned(),
                text: document.text[span.clone()].to_owned(),
                page: document.page(span.start),
                span,
                summary: summary.clone(),
                metadata: document.metadata.clone(),
            });
        }
    }
    chunks
}

/// The first sentence of a passage, cut to [`MAX_SUMMARY_CHARS`].
fn first_sentence(passage: &str) -> String {
    let text = plain(passage);
    let first = sentences(&text).first().copied().unwrap_or_default();
    first.chars().take(MAX_SUMMARY_CHARS).collect()
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
    /// A table's header, or the sentence before a list; empty for all else.
    lead: Range<usize>,
}

/// A part of the text, and the lead that it needs where it starts a chunk.
struct Piece {
    lead: Range<usize>,
    span: Range<usize>,
}

impl Block {
    fn new(span: Range<usize>) -> Self {
        Self { lead: span.start..span.start, span, cuts: Vec::new() }
    }
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
                    let mut block = Block::new(span.clone());
                    if let (Tag::List(_), Some(before)) = (&tag, section.blocks.last())
                        && document.text[before.span.clone()].trim_end().ends_with(':')
                    {
                        block.lead = before.span.start..span.start;
                    }
                    section.blocks.push(block);
                }
                if matches!(tag, Tag::Item | Tag::TableRow)
                    && let Some(block) = sections.last_mut().and_then(|it| it.blocks.last_mut())
                {
                    if tag == Tag::TableRow && block.lead.is_empty() && depth == 1 {
                        // The header stays with the first row.
                        block.lead = block.span.start..span.start;
                    } else {
                        block.cuts.push(span.start);
                    }
                }
                depth += 1;
            }
            Event::End(_) => depth -= 1,
            Event::Rule => {}
            _ if depth == 0 => {
                if let Some(section) = sections.last_mut() {
                    section.blocks.push(Block::new(span));
                }
            }
            _ => {}
        }
    }
    sections.retain(|section| !section.blocks.is_empty());
    sections
}

impl Section {
    /// The section's chunks: pieces joined greedily while they fit and are on one page.
    fn cut(&self, document: &Document) -> Vec<Piece> {
        let text = document.text.as_str();
        let page = |piece: &Piece| document.page(trim(text, piece.span.clone()).start);
        let mut chunks: Vec<Piece> = Vec::new();
        for piece in self.blocks.iter().flat_map(|block| block.pieces(text)) {
            match chunks.last_mut() {
                Some(last)
                    if room(text, &last.lead) >= length(&text[last.span.start..piece.span.end])
                        && page(last) == page(&piece) =>
                {
                    last.span.end = piece.span.end;
                }
                _ => chunks.push(piece),
            }
        }
        for chunk in &mut chunks {
            chunk.span = trim(text, chunk.span.clone());
        }
        chunks.retain(|chunk| !chunk.span.is_empty());
        chunks
    }
}

impl Block {
    /// The block, or where it is too long its items or rows, or its sentences, or bare lengths.
    fn pieces(&self, text: &str) -> Vec<Piece> {
        let lead_in = |span: Range<usize>| {
            let needed =
                self.lead.end <= span.start && length(&text[self.lead.clone()]) <= MAX_LEAD_CHARS;
            let lead = if needed { self.lead.clone() } else { span.start..span.start };
            Piece { lead, span }
        };
        let whole = lead_in(self.span.clone());
        if length(&text[self.span.clone()]) <= room(text, &whole.lead) {
            return vec![whole];
        }
        let starts = self.cuts.iter().copied().filter(|at| *at > self.span.start);
        let mut start = self.span.start;
        let mut pieces = Vec::new();
        for end in starts.chain([self.span.end]) {
            let longest = room(text, &lead_in(start..end).lead);
            pieces.extend(short(text, start..end, longest).into_iter().map(lead_in));
            start = end;
        }
        pieces
    }
}

/// Characters that a chunk has left for its text beside `lead`.
fn room(text: &str, lead: &Range<usize>) -> usize {
    MAX_CHUNK_CHARS.saturating_sub(length(&text[lead.clone()]))
}

/// Cuts `span` after sentences, and a sentence that is still too long after words or characters.
fn short(text: &str, span: Range<usize>, longest: usize) -> Vec<Range<usize>> {
    if length(&text[span.clone()]) <= longest {
        return vec![span];
    }
    let mut pieces: Vec<Range<usize>> = Vec::new();
    let mut add = |start: usize, end: usize| match pieces.last_mut() {
        Some(last) if length(&text[last.start..end]) <= longest => last.end = end,
        _ => pieces.push(start..end),
    };
    for (at, sentence) in text[span.clone()].split_sentence_bound_indices() {
        let start = span.start + at;
        if length(sentence) <= longest {
            add(start, start + sentence.len());
            continue;
        }
        for (at, word) in sentence.split_word_bound_indices() {
            let mut from = start + at;
            let end = from + word.len();
            while length(&text[from..end]) > longest {
                let next =
                    text[from..].char_indices().nth(longest).map_or(end, |(at, _)| from + at);
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
    use crate::text::Content;

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
    fn rows_and_items_keep_what_leads_in_to_them() {
        let rows: String = (0..60).map(|n| format!("| course {n} | {} |\n", n % 7)).collect();
        let header = "| Course | Grade |\n|---|---|\n";
        let chunks_of_table = cut(&format!("# T\n\n{header}{rows}"));
        assert!(chunks_of_table.len() > 1 && chunks_of_table[0].lead.is_empty());
        for chunk in &chunks_of_table[1..] {
            assert_eq!(chunk.lead, header);
            assert!(chunk.text.starts_with("| course"), "{}", chunk.text);
        }
        let items: String = (0..60).map(|n| format!("- paper number {n}\n")).collect();
        let chunks_of_list = cut(&format!("# L\n\nCertificates:\n\n{items}\nThe end."));
        assert!(chunks_of_list[0].text.starts_with("Certificates:"));
        for chunk in &chunks_of_list[1..] {
            assert_eq!(chunk.lead, "Certificates:\n\n");
        }
        for chunk in chunks_of_table.iter().chain(&chunks_of_list) {
            assert!(length(&chunk.passage()) <= MAX_CHUNK_CHARS);
        }
        let alone = cut(&format!("No lead-in.\n\n{items}"));
        assert!(alone.iter().all(|chunk| chunk.lead.is_empty()));
    }

    #[test]
    fn a_lead_that_would_fill_the_chunk_is_left_out() {
        let header = format!("| {} | b |\n|---|---|\n", "wide ".repeat(100));
        let chunks = cut(&format!("{header}{}", "| a row | of it |\n".repeat(60)));
        assert!(chunks.len() > 1 && chunks.iter().all(|chunk| chunk.lead.is_empty()));
    }

    #[test]
    fn chunks_end_where_pages_end() {
        let text = "# A\n\nfirst page\n\nsecond page\n\nsecond still".to_owned();
        let second = text.find("second page").unwrap();
        let content = Content { text, pages: vec![0, second], ..Content::default() };
        let chunks = chunks(&Document::converted("a.pdf", content).unwrap());
        let shown: Vec<_> = chunks.iter().map(|it| (it.page, it.text.as_str())).collect();
        assert_eq!(shown, [(Some(1), "first page"), (Some(2), "second page\n\nsecond still")]);
        assert_eq!(cut("text")[0].page, None);
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
