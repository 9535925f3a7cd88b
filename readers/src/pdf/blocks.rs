//! Lines to paragraphs, items and headings: by their distance, their size and their ends.

use std::collections::{BTreeMap, HashSet};

use super::layout::{BULLETS, Line, Part};

/// How much larger than the text a heading is.
const HEADING_SIZE: f32 = 1.12;
/// Longest heading, in letters.
const MAX_HEADING_CHARS: usize = 110;
/// How much wider than the usual distance between lines the one between paragraphs is.
const PARAGRAPH_GAP: f32 = 1.2;

/// Hyphens at the ends of lines: as typed, as typeset, and soft.
const HYPHENS: [char; 3] = ['-', '\u{2010}', '\u{ad}'];

/// A block of text.
#[derive(Debug, PartialEq)]
pub(super) enum Block {
    Heading { level: usize, text: String },
    Item { number: Option<usize>, text: String },
    Paragraph(String),
    Table(Vec<Vec<String>>),
}

/// What the document's text looks like: the ground that headings stand out from.
#[derive(Debug)]
pub(super) struct Styles {
    /// Size of most letters, in points.
    body: f32,
    is_bold: bool,
    /// Sizes of headings, largest first, in half points.
    sizes: Vec<i32>,
    /// Words of the document in small letters, by which a hyphen at a line's end is judged.
    words: HashSet<String>,
}

/// Lines that belong together.
struct Group<'a> {
    lines: Vec<&'a Line>,
}

impl Styles {
    pub(super) fn of(pages: &[Vec<Part>]) -> Self {
        let lines = || {
            pages.iter().flatten().flat_map(|part| match part {
                Part::Lines(lines) => lines.as_slice(),
                Part::Table(_) => &[],
            })
        };
        let mut letters: BTreeMap<(i32, bool), usize> = BTreeMap::new();
        for line in lines() {
            *letters.entry((half_points(line.size), line.is_bold)).or_default() += line.text.len();
        }
        let most = letters.iter().max_by_key(|(_, count)| **count).map(|(style, _)| *style);
        let (body, is_bold) = most.unwrap_or((20, false));
        let body = body as f32 / 2.0;
        let words = vocabulary(lines());
        let mut styles = Self { body, is_bold, sizes: Vec::new(), words };
        let mut sizes: Vec<i32> = pages
            .iter()
            .flatten()
            .filter_map(|part| if let Part::Lines(lines) = part { Some(lines) } else { None })
            .flat_map(|lines| styles.groups(lines))
            .filter(|group| styles.is_heading(group))
            .map(|group| half_points(group.size()))
            .collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        sizes.dedup();
        styles.sizes = sizes;
        styles
    }

    /// The blocks of a page.
    pub(super) fn blocks(&self, parts: &[Part]) -> Vec<Block> {
        let mut blocks = Vec::new();
        for part in parts {
            match part {
                Part::Lines(lines) => {
                    blocks.extend(self.groups(lines).iter().map(|group| self.block(group)));
                }
                Part::Table(rows) => self.table(rows, &mut blocks),
            }
        }
        blocks.retain(|block| !matches!(block, Block::Paragraph(text) if text.is_empty()));
        blocks
    }

    /// Two columns are pairs, each a line; more are a table, if the first row can be its header.
    fn table(&self, rows: &[Vec<String>], blocks: &mut Vec<Block>) {
        let is_header =
            |row: &Vec<String>| row.iter().all(|cell| cell.contains(char::is_alphabetic));
        match rows {
            [header, _, ..] if header.len() > 2 && is_header(header) => {
                blocks.push(Block::Table(rows.to_vec()));
            }
            rows => blocks.extend(rows.iter().map(|row| {
                let cells =
                    row.iter().map(|it| it.trim_end_matches(':')).filter(|it| !it.is_empty());
                Block::Item { number: None, text: cells.collect::<Vec<_>>().join(": ") }
            })),
        }
    }

    fn groups<'a>(&self, lines: &'a [Line]) -> Vec<Group<'a>> {
        let pitch = pitch(lines);
        let right = lines.iter().map(|line| line.x.1).fold(0.0, f32::max);
        let mut groups: Vec<Group<'a>> = Vec::new();
        for line in lines {
            let joined = groups.last_mut().filter(|group| {
                let (first, last) = (group.lines[0], group.lines[group.lines.len() - 1]);
                let gap = line.y - last.y;
                let alike = half_points(line.size) == half_points(last.size)
                    && line.is_bold == last.is_bold;
                // A line that ends early ends what it says, unless it is set ragged.
                let done = last.text.ends_with(['.', '!', '?', ':', ';'])
                    && right - last.x.1 > (right - first.x.0) * 0.25;
                let indented = line.x.0 - last.x.0 > line.size && group.lines.len() > 1;
                alike
                    && gap > 0.0
                    && gap <= pitch * PARAGRAPH_GAP
                    && !done
                    && !indented
                    && label(&line.text).is_none()
            });
            match joined {
                Some(group) => group.lines.push(line),
                None => groups.push(Group { lines: vec![line] }),
            }
        }
        groups
    }

    fn is_heading(&self, group: &Group<'_>) -> bool {
        let text = group.lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join(" ");
        let letters = text.chars().filter(|it| it.is_alphabetic()).count();
        let is_short = group.lines.len() <= 3 && text.chars().count() <= MAX_HEADING_CHARS;
        let stands_out = group.size() >= self.body * HEADING_SIZE
            || group.lines[0].is_bold && !self.is_bold && group.lines.len() == 1
            || letters >= 4 && group.lines.len() == 1 && !text.contains(char::is_lowercase);
        let ends = text.ends_with(['.', ',', ';', ':', '-']);
        is_short && letters >= 2 && stands_out && !ends && label(&text).is_none()
    }

    fn block(&self, group: &Group<'_>) -> Block {
        let text = self.join(&group.lines);
        if self.is_heading(group) {
            let at = self.sizes.iter().position(|size| *size == half_points(group.size()));
            return Block::Heading { level: at.unwrap_or(0).min(2) + 1, text };
        }
        match label(&text) {
            Some((number, item)) => Block::Item { number, text: item.to_owned() },
            None => Block::Paragraph(text),
        }
    }

    /// Lines as one text, with words that were divided at their ends made whole.
    fn join(&self, lines: &[&Line]) -> String {
        let mut text = String::new();
        for line in lines {
            let next = line.text.trim();
            match text.strip_suffix(HYPHENS) {
                Some(before)
                    if before.ends_with(char::is_alphabetic)
                        && next.starts_with(char::is_lowercase) =>
                {
                    let hyphen = if self.keeps_hyphen(before, next) { "-" } else { "" };
                    text = format!("{before}{hyphen}{next}");
                }
                _ => {
                    if !text.is_empty() {
                        text.push(' ');
                    }
                    text.push_str(next);
                }
            }
        }
        text.replace('\u{ad}', "")
    }

    /// Whether `thirty-` and `four` are `thirty-four`: where the document writes both as words of
    /// their own, and not as one.
    fn keeps_hyphen(&self, before: &str, next: &str) -> bool {
        let first = words(before).last().cloned().unwrap_or_default();
        let second = words(next).first().cloned().unwrap_or_default();
        let has = |word: &str| self.words.contains(word);
        !has(&format!("{first}{second}")) && has(&first) && has(&second)
    }
}

impl Group<'_> {
    fn size(&self) -> f32 {
        self.lines.iter().map(|line| line.size).fold(0.0, f32::max)
    }
}

/// The usual distance between lines.
fn pitch(lines: &[Line]) -> f32 {
    let mut gaps: Vec<f32> = lines
        .windows(2)
        .filter(|pair| half_points(pair[0].size) == half_points(pair[1].size))
        .map(|pair| (pair[1].y - pair[0].y) / pair[1].size)
        .filter(|gap| (0.8..2.5).contains(gap))
        .collect();
    gaps.sort_by(f32::total_cmp);
    // The lower third: lines within a paragraph are closer than paragraphs, and mostly more.
    let usual = gaps.get(gaps.len() / 3).copied().unwrap_or(1.2);
    usual * lines.iter().map(|line| line.size).fold(0.0, f32::max).min(median_size(lines))
}

fn median_size(lines: &[Line]) -> f32 {
    let mut sizes: Vec<f32> = lines.iter().map(|line| line.size).collect();
    sizes.sort_by(f32::total_cmp);
    sizes.get(sizes.len() / 2).copied().unwrap_or(10.0)
}

fn half_points(size: f32) -> i32 {
    (size * 2.0).round() as i32
}

/// The number of an item, if it has one, and what follows it or its bullet.
fn label(text: &str) -> Option<(Option<usize>, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = match digits {
        0 => (None, text.strip_prefix(BULLETS)?),
        1 | 2 => (text[..digits].parse().ok(), text[digits..].strip_prefix(['.', ')'])?),
        // `1914. The war` goes on with a sentence.
        _ => return None,
    };
    let item = rest.trim_start();
    (item.len() < rest.len() && !item.is_empty()).then_some((number, item))
}

/// Every word but the halves of divided ones.
fn vocabulary<'a>(lines: impl Iterator<Item = &'a Line>) -> HashSet<String> {
    let mut vocabulary = HashSet::new();
    let mut divided = false;
    for line in lines {
        let mut own = words(&line.text);
        if divided && !own.is_empty() {
            own.remove(0);
        }
        divided = line.text.ends_with(HYPHENS);
        if divided {
            own.pop();
        }
        vocabulary.extend(own);
    }
    vocabulary
}

fn words(text: &str) -> Vec<String> {
    let split = text.split(|it: char| !it.is_alphanumeric());
    split.filter(|it| !it.is_empty()).map(str::to_lowercase).collect()
}
