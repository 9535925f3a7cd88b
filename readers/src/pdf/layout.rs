//! The order of reading: letters to runs, runs to lines, lines to columns and tables.
//!
//! Columns are found by the white between them: the longest stretch of lines through which one
//! strip of white runs is cut along it, and so on within the parts. Where the lines on both sides
//! of the strip belong together (short cells, each beside another) it is a table and is read line
//! by line.

use std::collections::BTreeMap;

use super::glyphs::Glyph;

/// Widest gap between letters of a word, in sizes of the font.
const WORD_GAP: f32 = 0.17;
/// Widest gap between words of a run.
const RUN_GAP: f32 = 0.9;
/// Widest white between a bullet and its item.
const LABEL_GAP: f32 = 4.0;
/// What an item of a list begins with.
pub(super) const BULLETS: &[char] =
    &['•', '▪', '●', '○', '◦', '‣', '■', '□', '–', '—', '-', '*', '►', '✓'];
/// Narrowest white between columns.
const COLUMN_GAP: f32 = 0.9;
/// Narrowest white between the cells of a table that is set tight.
const CELL_GAP: f32 = 0.25;
/// How far apart baselines of one line may lie.
const LINE_SLACK: f32 = 0.2;
/// Columns are lines beside lines: this many on each side.
const MIN_LINES: usize = 2;
/// Average length of a table's cells, in letters, below which lines are cells and not prose.
const CELL_CHARS: f32 = 25.0;
/// Share of the cells that must stand beside another.
const BESIDE: f32 = 0.6;
/// Most lines of a region that is searched for columns; the search takes their square.
const MAX_LINES: usize = 600;
/// Deepest nesting of columns in columns.
const MAX_DEPTH: usize = 6;

/// A line of text, or a part of one that stands apart.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) x: (f32, f32),
    pub(super) y: f32,
    pub(super) size: f32,
    pub(super) is_bold: bool,
}

/// What a page is made of, in the order of reading.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// Lines of one column.
    Lines(Vec<Line>),
    /// Rows of cells.
    Table(Vec<Vec<String>>),
}

/// The parts of a page.
pub(super) fn parts(glyphs: Vec<Glyph>) -> Vec<Part> {
    let mut parts = Vec::new();
    split(rows(runs(&glyphs)), 0, &mut parts);
    parts
}

/// Takes out what stands at the head or foot of most pages: their numbers, the document's name.
pub(super) fn drop_running_lines(pages: &mut [Vec<Part>]) {
    if pages.len() < 3 {
        return;
    }
    for at_end in [false, true] {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for page in pages.iter() {
            if let Some(line) = edge(page, at_end) {
                *seen.entry(pattern(&line.text)).or_default() += 1;
            }
        }
        for page in pages.iter_mut() {
            let text = edge(page, at_end).map(|line| pattern(&line.text));
            if text
                .and_then(|text| seen.get(&text))
                .is_none_or(|count| *count * 2 <= seen.len().max(2))
            {
                continue;
            }
            let part = if at_end { page.last_mut() } else { page.first_mut() };
            if let Some(Part::Lines(lines)) = part {
                lines.remove(if at_end { lines.len() - 1 } else { 0 });
            }
            page.retain(|part| !matches!(part, Part::Lines(lines) if lines.is_empty()));
        }
    }
}

fn edge(page: &[Part], at_end: bool) -> Option<&Line> {
    match if at_end { page.last() } else { page.first() } {
        Some(Part::Lines(lines)) if at_end => lines.last(),
        Some(Part::Lines(lines)) => lines.first(),
        _ => None,
    }
}

fn pattern(text: &str) -> String {
    text.chars().map(|it| if it.is_ascii_digit() { '0' } else { it }).collect()
}

/// Joins letters that follow each other in the drawing and on the paper.
fn runs(glyphs: &[Glyph]) -> Vec<Line> {
    let mut runs: Vec<Line> = Vec::new();
    let mut spaced = false;
    for glyph in glyphs {
        if glyph.letter.is_whitespace() {
            spaced = true;
            continue;
        }
        let joined = runs.last_mut().filter(|run| {
            let size = run.size.max(glyph.size);
            let gap = glyph.x.0 - run.x.1;
            // What is drawn apart belongs together if a space is drawn between, or nothing is.
            let most = if glyph.is_first && !spaced { WORD_GAP } else { RUN_GAP };
            (glyph.y - run.y).abs() < size * 0.45 && gap > size * -0.4 && gap < size * most
        });
        match joined {
            Some(run) => {
                let gap = glyph.x.0 - run.x.1;
                if spaced && gap > run.size * 0.05 || gap > run.size * WORD_GAP {
                    run.text.push(' ');
                }
                run.text.push(glyph.letter);
                run.x.1 = run.x.1.max(glyph.x.1);
                run.is_bold &= glyph.is_bold;
                // A raised figure is of the line it stands in.
                run.size = run.size.max(glyph.size);
            }
            None => runs.push(Line {
                text: glyph.letter.to_string(),
                x: glyph.x,
                y: glyph.y,
                size: glyph.size,
                is_bold: glyph.is_bold,
            }),
        }
        spaced = false;
    }
    runs
}

/// Runs on one height, from the top; in each row from the left.
fn rows(mut runs: Vec<Line>) -> Vec<Vec<Line>> {
    runs.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.x.0.total_cmp(&b.x.0)));
    let mut rows: Vec<Vec<Line>> = Vec::new();
    for run in runs {
        match rows.last_mut().filter(|row| run.y - row[0].y <= row[0].size * LINE_SLACK) {
            Some(row) => row.push(run),
            None => rows.push(vec![run]),
        }
    }
    for row in &mut rows {
        row.sort_by(|a, b| a.x.0.total_cmp(&b.x.0));
        // The white after a bullet or number is no column's.
        for at in (1..row.len()).rev() {
            if is_label(&row[at - 1].text)
                && row[at].x.0 - row[at - 1].x.1 < row[at].size * LABEL_GAP
            {
                let label = row.remove(at - 1);
                let run = &mut row[at - 1];
                run.text.insert_str(0, &format!("{} ", label.text));
                run.x.0 = label.x.0;
            }
        }
    }
    rows
}

/// Whether a run is the bullet or the number of an item.
fn is_label(text: &str) -> bool {
    let number = text.strip_suffix(['.', ')']).map(|it| it.trim_start_matches('('));
    let is_number = |it: &str| {
        it.len() <= 3 && it.bytes().all(|byte| byte.is_ascii_digit())
            || it.len() == 1 && it.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    let mut letters = text.chars();
    letters.next().is_some_and(|it| BULLETS.contains(&it)) && letters.next().is_none()
        || number.is_some_and(|it| !it.is_empty() && is_number(it))
}

/// A strip of white through the rows of a stretch.
#[derive(Clone, Copy, Debug)]
struct Gutter {
    x: (f32, f32),
    /// Rows with text on its left, on its right, on both sides.
    rows: (usize, usize, usize),
}

impl Gutter {
    const EVERYWHERE: Self = Self { x: (f32::MIN, f32::MAX), rows: (0, 0, 0) };

    fn is_sound(&self) -> bool {
        self.rows.0 >= MIN_LINES && self.rows.1 >= MIN_LINES
    }

    fn width(&self) -> f32 {
        self.x.1 - self.x.0
    }
}

/// What kind of white is looked for.
#[derive(Clone, Copy)]
struct Search {
    /// Its least width.
    gap: f32,
    /// Whether every row must have text on both sides.
    beside: bool,
}

impl Search {
    const WIDE: Self = Self { gap: COLUMN_GAP, beside: false };
    const TIGHT: Self = Self { gap: CELL_GAP, beside: true };

    fn accepts(self, gutter: &Gutter, rows: usize) -> bool {
        if self.beside { rows > MIN_LINES && gutter.rows.2 == rows } else { gutter.is_sound() }
    }
}

fn split(mut rows: Vec<Vec<Line>>, depth: usize, parts: &mut Vec<Part>) {
    let tight = columns(&rows, depth, Search::TIGHT)
        .filter(|(from, to, gutter)| is_table(&rows[*from..*to], *gutter));
    let gap = if tight.is_some() { CELL_GAP } else { COLUMN_GAP };
    let Some((from, to, gutter)) = tight.or_else(|| columns(&rows, depth, Search::WIDE)) else {
        let lines: Vec<Line> = rows.into_iter().map(join).collect();
        if !lines.is_empty() {
            parts.push(Part::Lines(lines));
        }
        return;
    };
    let after = rows.split_off(to);
    let mut within = rows.split_off(from);
    if is_table(&within, gutter) {
        let gutters = gutters(&within, gap);
        // A header is set tighter than what it stands over.
        if let Some(header) = rows.pop_if(|row| is_header(row, &gutters)) {
            within.insert(0, header);
        }
        split(rows, depth + 1, parts);
        table(within, &gutters, parts);
    } else {
        split(rows, depth + 1, parts);
        let (left, right): (Vec<Vec<Line>>, Vec<Vec<Line>>) = within
            .into_iter()
            .map(|row| row.into_iter().partition::<Vec<Line>, _>(|run| run.x.1 <= gutter.x.0 + 0.1))
            .unzip();
        for mut column in [left, right] {
            column.retain(|row| !row.is_empty());
            split(column, depth + 1, parts);
        }
    }
    split(after, depth + 1, parts);
}

/// The longest stretch of rows with white through it: first row, row after the last, the white.
fn columns(rows: &[Vec<Line>], depth: usize, search: Search) -> Option<(usize, usize, Gutter)> {
    if rows.len() > MAX_LINES || depth >= MAX_DEPTH {
        return None;
    }
    let mut best: Option<(usize, usize, Gutter)> = None;
    for from in 0..rows.len() {
        if best.is_some_and(|(start, end, _)| end - start >= rows.len() - from) {
            break;
        }
        let mut gutters = vec![Gutter::EVERYWHERE];
        for (to, row) in rows.iter().enumerate().skip(from) {
            gutters = gutters.iter().flat_map(|gutter| narrow(*gutter, row, search.gap)).collect();
            let sound = gutters.iter().filter(|it| search.accepts(it, to + 1 - from));
            let widest = sound.max_by(|a, b| a.width().total_cmp(&b.width()));
            let Some(widest) = widest else { continue };
            if best.is_none_or(|(start, end, _)| to + 1 - from > end - start) {
                best = Some((from, to + 1, *widest));
            }
        }
    }
    best
}

/// What a row leaves of a strip of white.
fn narrow(gutter: Gutter, row: &[Line], gap: f32) -> Vec<Gutter> {
    let mut pieces = Vec::new();
    let mut start = gutter.x.0;
    let within = |run: &&Line| run.x.1 > gutter.x.0 && run.x.0 < gutter.x.1;
    let least = row.iter().map(|run| run.size).fold(0.0, f32::max) * gap;
    let ends = row.iter().filter(within).map(|run| (run.x.0, run.x.1));
    for (end, next) in ends.chain([(gutter.x.1, gutter.x.1)]) {
        if end - start >= least {
            let left = row.iter().any(|run| run.x.1 <= start + 0.1);
            let right = row.iter().any(|run| run.x.0 >= end - 0.1);
            let (mut l, mut r, b) = gutter.rows;
            l += usize::from(left);
            r += usize::from(right);
            pieces.push(Gutter { x: (start, end), rows: (l, r, b + usize::from(left && right)) });
        }
        start = start.max(next);
    }
    pieces
}

/// Whether the rows read across the white: cells beside cells, or dates beside what they date.
fn is_table(rows: &[Vec<Line>], gutter: Gutter) -> bool {
    let side = |left: bool| {
        let texts = rows.iter().filter_map(move |row| {
            let runs = row.iter().filter(|run| (run.x.1 <= gutter.x.0 + 0.1) == left);
            let text: Vec<&str> = runs.map(|run| run.text.as_str()).collect();
            (!text.is_empty()).then(|| text.join(" "))
        });
        texts.collect::<Vec<String>>()
    };
    let (left, right) = (side(true), side(false));
    let average = |texts: &[String]| {
        texts.iter().map(|it| it.chars().count()).sum::<usize>() as f32 / texts.len().max(1) as f32
    };
    let fewer = left.len().min(right.len()).max(1);
    let beside = gutter.rows.2 as f32 / fewer as f32 >= BESIDE;
    let dated =
        left.iter().filter(|it| it.contains(|c: char| c.is_ascii_digit()) || it.ends_with(':'));
    let short_left = average(&left) < CELL_CHARS;
    beside && short_left && (average(&right) < CELL_CHARS || dated.count() * 2 >= left.len())
}

/// The white between the cells of a table.
fn gutters(rows: &[Vec<Line>], gap: f32) -> Vec<Gutter> {
    let mut gutters = vec![Gutter::EVERYWHERE];
    for row in rows {
        gutters = gutters.iter().flat_map(|gutter| narrow(*gutter, row, gap)).collect();
    }
    gutters.retain(Gutter::is_sound);
    gutters
}

/// Whether a row has one text over each column of the table below it.
fn is_header(row: &[Line], gutters: &[Gutter]) -> bool {
    let cells = row.iter().map(|run| cell(run, gutters));
    row.len() == gutters.len() + 1 && cells.enumerate().all(|(at, cell)| at == cell)
}

/// The cell that the middle of a run stands in.
fn cell(run: &Line, gutters: &[Gutter]) -> usize {
    let middle = |(from, to): (f32, f32)| f32::midpoint(from, to);
    gutters.iter().filter(|gutter| middle(gutter.x) < middle(run.x)).count()
}

fn table(rows: Vec<Vec<Line>>, gutters: &[Gutter], parts: &mut Vec<Part>) {
    let cell_of = |run: &Line| cell(run, gutters);
    let mut cells: Vec<Vec<String>> = Vec::new();
    for row in rows {
        let is_first = row.first().is_some_and(|run| cell_of(run) == 0);
        let alone = is_first && row.iter().all(|run| cell_of(run) == 0);
        if alone && row.iter().all(|run| run.is_bold) {
            // A heading between the rows.
            flush(&mut cells, parts);
            parts.push(Part::Lines(vec![join(row)]));
            continue;
        }
        if is_first || cells.is_empty() {
            cells.push(vec![String::new(); gutters.len() + 1]);
        }
        for run in row {
            let cell = cells.last_mut().and_then(|row| row.get_mut(cell_of(&run)));
            if let Some(cell) = cell {
                if !cell.is_empty() {
                    cell.push(' ');
                }
                cell.push_str(&run.text);
            }
        }
    }
    flush(&mut cells, parts);
}

fn flush(cells: &mut Vec<Vec<String>>, parts: &mut Vec<Part>) {
    if !cells.is_empty() {
        parts.push(Part::Table(std::mem::take(cells)));
    }
}

/// The runs of a row as one line.
fn join(row: Vec<Line>) -> Line {
    let mut runs = row.into_iter();
    let Some(mut line) = runs.next() else {
        return Line { text: String::new(), x: (0.0, 0.0), y: 0.0, size: 1.0, is_bold: false };
    };
    for run in runs {
        if run.x.0 - line.x.1 > line.size * WORD_GAP {
            line.text.push(' ');
        }
        line.text.push_str(&run.text);
        line.x.1 = line.x.1.max(run.x.1);
        line.size = line.size.max(run.size);
        line.is_bold &= run.is_bold;
    }
    line
}
