//! The chunks' vectors, one byte a number, compared where they lie.
//!
//! A row of the section `vectors` is a scale (`f32`, little-endian) and its numbers (`i8`); the
//! vector is their product. Sums are of integers, and so the same natively and in a component.

use tantivy::directory::OwnedBytes;

use crate::pack::PackError;

const SCALE_BYTES: usize = 4;

/// Rows of one width.
#[derive(Clone)]
pub(super) struct Vectors {
    rows: OwnedBytes,
    width: usize,
}

impl Vectors {
    /// Quantises `vectors`, which have `width` numbers each. What [`vector`](Self::vector) gave is
    /// quantised to the row it came from.
    pub(super) fn write<V: AsRef<[f32]>>(
        vectors: &[V],
        width: usize,
    ) -> Result<Vec<u8>, PackError> {
        let mut rows = Vec::with_capacity(vectors.len() * (SCALE_BYTES + width));
        for (ordinal, vector) in vectors.iter().map(AsRef::as_ref).enumerate() {
            if vector.len() != width || vector.iter().any(|number| !number.is_finite()) {
                let reason = format!("vector of chunk {ordinal} is not {width} finite numbers");
                return Err(PackError::damaged("vectors", reason));
            }
            let scale = short(largest(vector) / f32::from(i8::MAX));
            rows.extend_from_slice(&scale.to_le_bytes());
            rows.extend(vector.iter().map(|number| round(number / scale) as i8 as u8));
        }
        Ok(rows)
    }

    pub(super) fn open(rows: OwnedBytes, count: usize, width: usize) -> Result<Self, PackError> {
        let expected = width.checked_add(SCALE_BYTES).and_then(|row| row.checked_mul(count));
        if width == 0 || expected != Some(rows.len()) {
            let reason = format!("{} bytes for {count} rows of {width} numbers", rows.len());
            return Err(PackError::damaged("vectors", reason));
        }
        Ok(Self { rows, width })
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len() / (SCALE_BYTES + self.width)
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.rows
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.chunks_exact(SCALE_BYTES + self.width).filter_map(Row::new)
    }

    pub(super) fn row(&self, ordinal: usize) -> Option<Row<'_>> {
        let start = ordinal.checked_mul(SCALE_BYTES + self.width)?;
        Row::new(self.rows.get(start..)?.get(..SCALE_BYTES + self.width)?)
    }

    /// The vector of a chunk, with what rounding left of it.
    pub(super) fn vector(&self, ordinal: usize) -> Option<Vec<f32>> {
        let row = self.row(ordinal)?;
        Some(row.numbers.iter().map(|&number| row.scale * f32::from(number as i8)).collect())
    }
}

/// A chunk's vector where it lies.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    scale: f32,
    numbers: &'a [u8],
}

impl<'a> Row<'a> {
    fn new(bytes: &'a [u8]) -> Option<Self> {
        let (scale, numbers) = bytes.split_first_chunk()?;
        Some(Self { scale: f32::from_le_bytes(*scale), numbers })
    }

    /// Dot product with another row.
    pub(super) fn dot(self, other: Self) -> f32 {
        let sum = sum(other.numbers, |number| i32::from(number as i8), self.numbers);
        self.scale * other.scale * sum as f32
    }
}

/// A question's vector, rounded to sixteen bits: much finer than the rows, and still integers.
pub(super) struct Query {
    scale: f32,
    numbers: Vec<i16>,
}

impl Query {
    pub(super) fn new(vector: &[f32]) -> Self {
        // The largest numbers whose products with bytes cannot overflow in the sum.
        let room = i32::MAX / 128 / vector.len().max(1) as i32;
        let scale = largest(vector) / room.min(i16::MAX.into()) as f32;
        let numbers = vector.iter().map(|number| round(number / scale) as i16).collect();
        Self { scale, numbers }
    }

    /// Dot product with a chunk's vector.
    pub(super) fn dot(&self, row: Row<'_>) -> f32 {
        self.scale * row.scale * sum(&self.numbers, i32::from, row.numbers) as f32
    }
}

fn largest(vector: &[f32]) -> f32 {
    vector.iter().fold(0.0, |largest, number| number.abs().max(largest))
}

/// Rounds up to sixteen significant bits, so that 127 times the result is exact: a vector that was
/// read back has the scale it was written with.
fn short(scale: f32) -> f32 {
    f32::from_bits((scale.to_bits() + 0xff) & !0xff)
}

/// Half away from zero, before a cast that cuts; `f32::round` is a call for every number.
fn round(number: f32) -> f32 {
    number + 0.5_f32.copysign(number)
}

/// Sum of products with bytes that stand for `i8`.
fn sum<A: Copy>(a: &[A], number: impl Fn(A) -> i32, bytes: &[u8]) -> i32 {
    // Sums side by side: the compiler makes them SIMD lanes on every target.
    const LANES: usize = 16;
    let mut sums = [0_i32; LANES];
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (blocks, rest) = bytes.as_chunks::<LANES>();
    for (a, bytes) in a_blocks.iter().zip(blocks) {
        for lane in 0..LANES {
            sums[lane] += number(a[lane]) * i32::from(bytes[lane] as i8);
        }
    }
    let rest = a_rest.iter().zip(rest).map(|(a, byte)| number(*a) * i32::from(*byte as i8));
    sums.iter().sum::<i32>() + rest.sum::<i32>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::SeededEntropy;

    const SEED: u64 = 20_261_121;

    fn random(entropy: &SeededEntropy, width: usize) -> Vec<f32> {
        let number = || (entropy.next() >> 40) as f32 / (1_u64 << 23) as f32 - 1.0;
        (0..width).map(|_| number()).collect()
    }

    fn open(vectors: &[Vec<f32>]) -> Vectors {
        let width = vectors[0].len();
        let rows = Vectors::write(vectors, width).unwrap();
        Vectors::open(OwnedBytes::new(rows), vectors.len(), width).unwrap()
    }

    #[test]
    fn what_was_read_back_is_written_as_it_was() {
        let entropy = SeededEntropy::new(SEED);
        let mut vectors: Vec<Vec<f32>> = (0..1_000).map(|_| random(&entropy, 24)).collect();
        vectors.push(vec![0.0; 24]);
        let first = open(&vectors);
        let back: Vec<Vec<f32>> =
            (0..first.len()).map(|ordinal| first.vector(ordinal).unwrap()).collect();
        assert_eq!(open(&back).rows.as_slice(), first.rows.as_slice(), "seed {SEED}");
    }

    #[test]
    fn dot_is_within_what_rounding_takes_at_any_width() {
        let entropy = SeededEntropy::new(SEED);
        for width in [1, 15, 16, 17, 384, 1_024] {
            let (a, b) = (random(&entropy, width), random(&entropy, width));
            let vectors = open(&[a.clone(), b.clone()]);
            let [a_row, b_row] = [0, 1].map(|ordinal| vectors.row(ordinal).unwrap());
            let exact: f32 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
            // Numbers up to 1 are off by at most 1/254, and the errors do not lean to a side.
            let tolerance = (width as f32).sqrt() / 100.0;
            let case = format!("seed {SEED}, width {width}");
            assert!((Query::new(&a).dot(b_row) - exact).abs() < tolerance, "{case}");
            assert!((a_row.dot(b_row) - exact).abs() < 2.0 * tolerance, "{case}");
        }
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        for width in [384, 1_024] {
            let ones = vec![1.0; width];
            let vectors = open(std::slice::from_ref(&ones));
            let dot = Query::new(&ones).dot(vectors.row(0).unwrap());
            assert!((dot / width as f32 - 1.0).abs() < 1e-3, "{dot}");
        }
    }

    #[test]
    fn refuses_what_is_no_matrix_of_numbers() {
        for bad in [vec![1.0], vec![f32::NAN, 1.0], vec![1.0, f32::INFINITY]] {
            assert!(Vectors::write(&[vec![1.0, 0.0], bad], 2).is_err());
        }
        for (bytes, count, width) in [(11, 2, 2), (13, 2, 2), (0, 1, 0), (12, usize::MAX, 2)] {
            assert!(Vectors::open(OwnedBytes::new(vec![0; bytes]), count, width).is_err());
        }
    }
}
