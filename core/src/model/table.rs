//! The embedding tables, read in place from the bytes of `table.safetensors`.
//!
//! The word table is half of the model's parameters and a question touches a dozen of its rows, so
//! it stays outside the graph: nothing is copied or widened but the rows in use.

use safetensors::{Dtype, SafeTensors};

use super::ModelError;

/// Byte ranges of the tables within the file, which the caller keeps.
#[derive(Clone, Debug)]
pub(super) struct Table {
    words: Span,
    /// One scale a word for signed bytes; absent for floats.
    scales: Option<Span>,
    positions: Span,
    /// Numbers in a row.
    pub(super) width: usize,
}

#[derive(Clone, Debug)]
struct Span {
    start: usize,
    rows: usize,
}

impl Table {
    /// Finds the tables in `file`.
    pub(super) fn open(file: &[u8]) -> Result<Self, ModelError> {
        let malformed =
            |reason: String| ModelError::Malformed { file: "table.safetensors", reason };
        let tensors =
            SafeTensors::deserialize(file).map_err(|error| malformed(error.to_string()))?;
        let find = |name: &str, kind: &[Dtype]| {
            let tensor = tensors.tensor(name).map_err(|error| malformed(error.to_string()))?;
            if !kind.contains(&tensor.dtype()) {
                return Err(malformed(format!(
                    "{name} is {:?}, expected {kind:?}",
                    tensor.dtype()
                )));
            }
            let start = tensor.data().as_ptr().addr() - file.as_ptr().addr();
            let rows = tensor.shape().first().copied().unwrap_or(0);
            Ok((Span { start, rows }, tensor.dtype(), tensor.shape().last().copied().unwrap_or(0)))
        };
        let (words, kind, width) = find("words", &[Dtype::F32, Dtype::I8])?;
        let (positions, _, position_width) = find("positions", &[Dtype::F32])?;
        if width == 0 || width != position_width {
            return Err(malformed(format!("words are {width} wide, positions {position_width}")));
        }
        let scales = match kind {
            Dtype::I8 => {
                let (scales, ..) = find("scales", &[Dtype::F32])?;
                if scales.rows != words.rows {
                    return Err(malformed(format!("{} words, {} scales", words.rows, scales.rows)));
                }
                Some(scales)
            }
            _ => None,
        };
        Ok(Self { words, scales, positions, width })
    }

    /// Sums word and position embeddings of `tokens` into rows of [`width`](Self::width) numbers.
    ///
    /// Tokens beyond the vocabulary or the last position are a defect of the tokenizer's file.
    pub(super) fn embed(&self, file: &[u8], tokens: &[u32]) -> Result<Vec<f32>, ModelError> {
        let mut rows = Vec::with_capacity(tokens.len() * self.width);
        for (position, &token) in tokens.iter().enumerate() {
            let word = token as usize;
            if word >= self.words.rows || position >= self.positions.rows {
                return Err(ModelError::Run {
                    reason: format!("token {token} at {position}: outside of the tables"),
                });
            }
            let positions = floats(file, self.positions.start, position * self.width, self.width);
            match &self.scales {
                Some(scales) => {
                    let scale = floats(file, scales.start, word, 1).sum::<f32>();
                    let start = self.words.start + word * self.width;
                    let bytes = &file[start..start + self.width];
                    rows.extend(
                        bytes
                            .iter()
                            .zip(positions)
                            .map(|(&it, at)| f32::from(it as i8) * scale + at),
                    );
                }
                None => {
                    let words = floats(file, self.words.start, word * self.width, self.width);
                    rows.extend(words.zip(positions).map(|(word, at)| word + at));
                }
            }
        }
        Ok(rows)
    }
}

/// `count` little-endian floats, `first` floats into the table at byte `start`.
fn floats(file: &[u8], start: usize, first: usize, count: usize) -> impl Iterator<Item = f32> {
    let start = start + first * 4;
    file[start..start + count * 4]
        .chunks_exact(4)
        .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}
