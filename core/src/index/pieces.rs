//! The vectors of the chunks' word pieces: what late interaction compares, four bits a number.
//!
//! The section `pieces` is the end of each chunk's rows (`u32`, little-endian, counted in rows),
//! then the rows: the piece's id (`u32`), the byte of the encoded text at which it starts (`u32`),
//! a scale (`f32`), and the numbers, two a byte: the first half of them low, the second half high,
//! each eight above its value. The section `piece-counts` is, by id, each piece (`u32`) with the
//! number of chunks that have it (`u32`).

use std::collections::{BTreeMap, BTreeSet};

use tantivy::directory::OwnedBytes;

use crate::{
    model::{Block, Encoded, PANEL, Step, TILE, kernel},
    pack::PackError,
};

const SECTION: &str = "pieces";
const COUNTS: &str = "piece-counts";
/// Bytes of a row before its numbers.
const HEAD: usize = 12;
/// Largest number of a row, and what is added to have it stored without a sign.
const LARGEST: i16 = 7;
const OFFSET: i16 = 8;
/// Numbers that a kernel takes at once.
const LANES: usize = 8;

/// The most bytes that the section may take: a pack that needs more goes without it, so that an
/// instance stays small. Some 3 000 chunks.
const MAX_BYTES: usize = 96 << 20;

/// Chunks of ordinary English that are counted beside a pack's own; from 30 to 1 000 of them rank
/// alike on the development splits.
const IMAGINED: f32 = 100.0;
/// Word pieces of such a chunk.
const WORDS: f32 = 90.0;
/// "the", the most frequent piece of BERT's vocabulary; before it stand signs, digits and letters,
/// by their code.
const MOST_FREQUENT: u32 = 1_996;
/// The share of chunks that have one of those.
const SIGNS: f32 = 0.3;

/// Whether a pack keeps the vectors of this many word pieces, of `width` numbers each.
pub fn keeps_pieces(count: usize, width: usize) -> bool {
    count.saturating_mul(row_bytes(width)) <= MAX_BYTES
}

/// What the encoder made of a chunk: a vector of the whole, and one for each word piece.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Embedding {
    pub(super) vector: Vec<f32>,
    /// Rows as the section has them.
    pub(super) pieces: Vec<u8>,
}

impl From<Vec<f32>> for Embedding {
    /// A vector of the whole alone: the pack goes without late interaction.
    fn from(vector: Vec<f32>) -> Self {
        Self { vector, pieces: Vec::new() }
    }
}

impl From<&Encoded> for Embedding {
    fn from(encoded: &Encoded) -> Self {
        let width = encoded.pooled.len();
        let mut pieces = Vec::new();
        for (token, row) in encoded.tokens.iter().zip(encoded.rows.chunks_exact(width)) {
            // `[CLS]` and `[SEP]` stand for no text.
            if !token.span.is_empty() {
                pieces.extend_from_slice(&token.id.to_le_bytes());
                pieces.extend_from_slice(&(token.span.start as u32).to_le_bytes());
                write_numbers(row, &mut pieces);
            }
        }
        Self { vector: encoded.pooled.clone(), pieces }
    }
}

/// The direction of `row`, as scale and numbers.
fn write_numbers(row: &[f32], out: &mut Vec<u8>) {
    let length = row.iter().map(|it| it * it).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    let largest = row.iter().fold(0.0_f32, |largest, it| largest.max(it.abs()));
    let step = (largest / f32::from(LARGEST)).max(f32::MIN_POSITIVE);
    out.extend_from_slice(&(step / length).to_le_bytes());
    let number = |it: f32| ((it / step).round() as i16 + OFFSET) as u8;
    let (low, high) = row.split_at(row.len().div_ceil(2));
    let high = high.iter().copied().chain(std::iter::repeat(0.0));
    out.extend(low.iter().zip(high).map(|(low, high)| number(*low) | number(high) << 4));
}

/// The word pieces of a question, ready to be compared.
#[derive(Clone, Debug, Default)]
pub(crate) struct QuestionPieces {
    scales: Vec<f32>,
    tiles: Vec<Tile>,
}

/// Pieces that are compared at once, as a kernel takes them.
#[derive(Clone, Debug)]
struct Tile {
    pieces: usize,
    steps: Vec<Step>,
}

impl QuestionPieces {
    /// Takes the directions of `rows`, as the encoder gave them.
    pub(crate) fn new(rows: &[&[f32]]) -> Self {
        let (mut scales, mut tiles) = (Vec::new(), Vec::new());
        for rows in rows.chunks(TILE) {
            let mut steps = Vec::new();
            for (at, row) in rows.iter().enumerate() {
                let (scale, numbers) = direction(row);
                scales.push(scale);
                steps.resize(rows.len() * numbers.len(), Step::default());
                let own = steps.iter_mut().skip(at).step_by(rows.len());
                own.zip(numbers).for_each(|(step, numbers)| *step = numbers);
            }
            tiles.push(Tile { pieces: rows.len(), steps });
        }
        Self { scales, tiles }
    }

    pub(crate) fn len(&self) -> usize {
        self.scales.len()
    }
}

/// The direction of `row` as scale and numbers, in the order in which a chunk's are unpacked.
fn direction(row: &[f32]) -> (f32, Vec<Step>) {
    let length = row.iter().map(|it| it * it).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    let largest = row.iter().fold(0.0_f32, |largest, it| largest.max(it.abs()));
    // The largest numbers whose products with a chunk's cannot overflow in the sum.
    let room = i32::MAX / i32::from(OFFSET) / row.len().max(1) as i32;
    let step = (largest / room.min(i16::MAX.into()) as f32).max(f32::MIN_POSITIVE);
    let (low, high) = row.split_at(row.len().div_ceil(2));
    let half = low.len().div_ceil(LANES);
    let mut numbers = vec![Step::default(); 2 * half];
    for (part, start) in [(low, 0), (high, half)] {
        for (place, it) in numbers[start..].as_flattened_mut().iter_mut().zip(part) {
            *place = (it / step).round() as i16;
        }
    }
    (step / length, numbers)
}

/// Writes a chunk's packed numbers as the `output` of a panel.
fn unpack(packed: &[u8], panel: &mut [Block], output: usize) {
    let (low, high) = panel.split_at_mut(packed.len().div_ceil(LANES));
    for ((low, high), packed) in low.iter_mut().zip(high).zip(packed.chunks(LANES)) {
        // What is missing at the end counts as zero.
        let mut bytes = [OFFSET as u8 * 0x11; LANES];
        bytes[..packed.len()].copy_from_slice(packed);
        low[output] = bytes.map(|it| (it & 0xf).wrapping_sub(OFFSET as u8));
        high[output] = bytes.map(|it| (it >> 4).wrapping_sub(OFFSET as u8));
    }
}

/// The word pieces of all chunks.
#[derive(Clone)]
pub(crate) struct Pieces {
    ends: OwnedBytes,
    rows: OwnedBytes,
    counts: OwnedBytes,
    width: usize,
}

impl std::fmt::Debug for Pieces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pieces").field("bytes", &self.rows.len()).finish()
    }
}

impl Pieces {
    /// The sections for `embeddings` of `width` numbers; none where no chunk has pieces, or where
    /// they are more than [`MAX_BYTES`].
    pub(super) fn write(embeddings: &[Embedding], width: usize) -> Vec<(&'static str, Vec<u8>)> {
        let bytes: usize = embeddings.iter().map(|it| it.pieces.len()).sum();
        let fits = keeps_pieces(bytes / row_bytes(width), width);
        if !fits || bytes == 0 {
            return Vec::new();
        }
        let (mut section, mut rows) = (Vec::with_capacity(bytes), 0_u32);
        let mut counts: BTreeMap<u32, u32> = BTreeMap::new();
        for embedding in embeddings {
            let own = embedding.pieces.chunks_exact(row_bytes(width));
            rows += own.len() as u32;
            section.extend_from_slice(&rows.to_le_bytes());
            let ids: BTreeSet<u32> =
                own.filter_map(|row| Some(number(row.first_chunk()?))).collect();
            ids.into_iter().for_each(|id| *counts.entry(id).or_default() += 1);
        }
        embeddings.iter().for_each(|it| section.extend_from_slice(&it.pieces));
        let counts = counts.into_iter().flat_map(|(id, count)| [id, count]);
        let counts = counts.flat_map(u32::to_le_bytes).collect();
        vec![(SECTION, section), (COUNTS, counts)]
    }

    /// Opens the sections of a pack of `count` chunks, where it has them.
    pub(super) fn open<'a>(
        section: impl Fn(&str) -> Option<&'a OwnedBytes>,
        count: usize,
        width: usize,
    ) -> Result<Option<Self>, PackError> {
        let (Some(pieces), Some(counts)) = (section(SECTION), section(COUNTS)) else {
            return Ok(None);
        };
        let damaged = |reason| PackError::damaged(SECTION, reason);
        let at = count.checked_mul(4).filter(|at| *at <= pieces.len());
        let (ends, rows) =
            pieces.clone().split(at.ok_or_else(|| damaged("shorter than its count"))?);
        let all = rows.len() / row_bytes(width);
        let (bounds, _) = ends.as_chunks();
        let bounds: Vec<usize> = bounds.iter().map(|it| number(it) as usize).collect();
        if !bounds.is_sorted() || bounds.last() != Some(&all) || rows.len() % row_bytes(width) != 0
        {
            return Err(damaged("its rows are not the chunks'"));
        }
        if counts.len() % 8 != 0 {
            return Err(PackError::damaged(COUNTS, "a count is not whole"));
        }
        Ok(Some(Self { ends, rows, counts: counts.clone(), width }))
    }

    /// Compares each of a chunk's pieces with each of `question`: `visit` gets the byte of the
    /// encoded text at which the chunk's piece starts, and the cosine similarities.
    pub(crate) fn compare(
        &self,
        question: &QuestionPieces,
        ordinal: usize,
        mut visit: impl FnMut(usize, &[f32]),
    ) {
        let kernel = kernel();
        let half = self.width.div_ceil(2).div_ceil(LANES);
        let mut panel: Vec<Block> = vec![Default::default(); 2 * half];
        let mut sums = vec![[0; PANEL]; question.len()];
        let mut similarities = vec![0.0; question.len()];
        let bytes = row_bytes(self.width);
        for rows in self.of(ordinal).chunks(PANEL * bytes) {
            let rows = rows.chunks_exact(bytes);
            rows.clone().enumerate().for_each(|(at, row)| unpack(&row[HEAD..], &mut panel, at));
            let mut rest = sums.as_mut_slice();
            for tile in &question.tiles {
                let (sums, others) = rest.split_at_mut(tile.pieces);
                kernel(&panel, &tile.steps, sums);
                rest = others;
            }
            for (at, row) in rows.enumerate() {
                let [_, start, scale] =
                    [0, 4, 8].map(|at| [row[at], row[at + 1], row[at + 2], row[at + 3]]);
                let scale = f32::from_le_bytes(scale);
                for ((similarity, sums), own) in
                    similarities.iter_mut().zip(&sums).zip(&question.scales)
                {
                    // A damaged scale is not a number: it is taken for the farthest.
                    let cosine = sums[at] as f32 * own * scale;
                    *similarity = if cosine.is_nan() { -1.0 } else { cosine.clamp(-1.0, 1.0) };
                }
                visit(u32::from_le_bytes(start) as usize, &similarities);
            }
        }
    }

    /// Inverse document frequency of a piece: `ln(1 + (N − n + ½) / (n + ½))`, highest for a rare
    /// piece that no chunk has.
    ///
    /// [`IMAGINED`] chunks of ordinary English are counted with the pack's own: few pages say little
    /// of how common a word is, and one that they happen to lack is not thereby rare.
    pub(crate) fn rarity(&self, id: u32) -> f32 {
        let (counts, _) = self.counts.as_chunks::<8>();
        let key = |entry: &[u8; 8]| number(&[entry[0], entry[1], entry[2], entry[3]]);
        let found = counts.binary_search_by_key(&id, key).ok().map(|at| counts[at]);
        let own = found.map_or(0, |it| number(&[it[4], it[5], it[6], it[7]])) as f32;
        let with = own + IMAGINED * share_in_english(id);
        let all = (self.ends.len() / 4) as f32 + IMAGINED;
        (1.0 + (all - with + 0.5).max(0.0) / (with + 0.5)).ln()
    }

    /// The rows of a chunk, as an [`Embedding`] has them.
    pub(super) fn of(&self, ordinal: usize) -> &[u8] {
        let (ends, _) = self.ends.as_chunks();
        let end = |ordinal: usize| ends.get(ordinal).map(|it| number(it) as usize);
        let start = ordinal.checked_sub(1).map_or(Some(0), end);
        let bytes = start.zip(end(ordinal)).and_then(|(start, end)| {
            self.rows.get(start * row_bytes(self.width)..end * row_bytes(self.width))
        });
        bytes.unwrap_or_default()
    }
}

fn row_bytes(width: usize) -> usize {
    HEAD + width.div_ceil(2)
}

/// The share of chunks of ordinary English that have a piece.
///
/// The vocabulary is ordered by frequency, and the piece of rank `r` makes up some `0.1 / r` of a
/// text (Zipf 1949).
fn share_in_english(id: u32) -> f32 {
    match id.checked_sub(MOST_FREQUENT) {
        Some(rank) => 1.0 - (-WORDS * 0.1 / (rank + 1) as f32).exp(),
        None => SIGNS,
    }
}

fn number(bytes: &[u8; 4]) -> u32 {
    u32::from_le_bytes(*bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fakes::SeededEntropy, model::Token};

    const SEED: u64 = 20_261_121;
    const WIDTH: usize = 33;

    fn random(entropy: &SeededEntropy) -> Vec<f32> {
        (0..WIDTH).map(|_| (entropy.next() >> 40) as f32 / (1_u64 << 23) as f32 - 1.0).collect()
    }

    fn encoded(rows: &[Vec<f32>]) -> Encoded {
        let tokens = (0..rows.len()).map(|at| Token {
            id: at as u32 % 3,
            piece: String::new(),
            // The first stands for no text, as `[CLS]`.
            span: at * 10..at * 10 + at.min(1),
        });
        Encoded { pooled: rows[0].clone(), tokens: tokens.collect(), rows: rows.concat() }
    }

    fn open(embeddings: &[Embedding]) -> Pieces {
        let sections: BTreeMap<&str, OwnedBytes> = Pieces::write(embeddings, WIDTH)
            .into_iter()
            .map(|(name, bytes)| (name, OwnedBytes::new(bytes)))
            .collect();
        Pieces::open(|name| sections.get(name), embeddings.len(), WIDTH).unwrap().unwrap()
    }

    #[test]
    fn compares_within_what_rounding_takes() {
        let entropy = SeededEntropy::new(SEED);
        let rows: Vec<Vec<f32>> = (0..6).map(|_| random(&entropy)).collect();
        let chunks = [Embedding::from(&encoded(&rows[..2])), Embedding::from(&encoded(&rows[1..]))];
        let pieces = open(&chunks);
        let question = random(&entropy);
        let cosine = |row: &[f32]| {
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            dot(row, &question) / (dot(row, row) * dot(&question, &question)).sqrt()
        };
        let mut seen = Vec::new();
        pieces.compare(&QuestionPieces::new(&[&question]), 1, |start, got| {
            seen.push((start, got[0]))
        });
        assert_eq!(seen.iter().map(|(start, _)| *start).collect::<Vec<_>>(), [10, 20, 30, 40]);
        for ((_, got), row) in seen.iter().zip(&rows[2..]) {
            assert!((got - cosine(row)).abs() < 0.05, "seed {SEED}: {got} {}", cosine(row));
        }
        assert_eq!(pieces.of(1), chunks[1].pieces);
        assert!(pieces.of(2).is_empty());
    }

    #[test]
    fn rarity_falls_with_the_chunks_that_have_a_piece() {
        let rows = vec![vec![1.0; WIDTH]; 3];
        let [one, both] = [&rows[..2], &rows[..]].map(|rows| Embedding::from(&encoded(rows)));
        let pieces = open(&[one, both]);
        // Piece 1 is in both chunks, piece 2 in one, piece 9 in none, nor are "the", "does" and
        // "rust".
        let rarities = [1_996, 1, 2, 9, 2_515, 12_732].map(|id| pieces.rarity(id));
        assert!(rarities.is_sorted_by(|a, b| a < b), "{rarities:?}");
        let (all, with) = (2.0 + IMAGINED, 1.0 + SIGNS * IMAGINED);
        assert!((rarities[2] - (1.0_f32 + (all - with + 0.5) / (with + 0.5)).ln()).abs() < 1e-6);
    }

    #[test]
    fn goes_without_pieces_where_no_chunk_has_one() {
        let rows = vec![vec![1.0; WIDTH]; 2];
        let with = Embedding::from(&encoded(&rows));
        let without = Embedding::from(vec![1.0; WIDTH]);
        assert!(Pieces::write(std::slice::from_ref(&without), WIDTH).is_empty());
        assert_eq!(Pieces::write(&[with, without], WIDTH).len(), 2);
    }

    #[test]
    fn refuses_sections_that_do_not_fit() {
        let rows = vec![vec![1.0; WIDTH]; 3];
        let written = Pieces::write(&[Embedding::from(&encoded(&rows))], WIDTH);
        let check = |pieces: Vec<u8>, counts: Vec<u8>, count| {
            let sections = [(SECTION, OwnedBytes::new(pieces)), (COUNTS, OwnedBytes::new(counts))];
            let section = |name: &str| sections.iter().find(|it| it.0 == name).map(|it| &it.1);
            assert!(Pieces::open(section, count, WIDTH).is_err());
        };
        let [(_, pieces), (_, counts)] = written.as_slice() else { panic!("two sections") };
        check(pieces[..pieces.len() - 1].to_vec(), counts.clone(), 1);
        check(pieces.clone(), counts.clone(), 2);
        check(pieces.clone(), counts.clone(), usize::MAX);
        check(pieces.clone(), counts[1..].to_vec(), 1);
        check([&[9, 0, 0, 0], &pieces[4..]].concat(), counts.clone(), 1);
    }
}
