//! The tokenizer: opened from its settings and its vocabulary, which are files of their own.
//!
//! Published tokenizers carry the vocabulary in their JSON, which takes longer to parse than lines,
//! and every fresh instance of a component does so.

use std::ops::Range;

use serde_json::Value;
use tokenizers::{
    Encoding, ModelWrapper, Tokenizer, TruncationParams, models::wordpiece::WordPiece,
};

use super::{MAX_TOKENS, ModelError};

/// A word piece of a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Token {
    /// Its row in the word table.
    pub id: u32,
    /// As the vocabulary has it: `##` in front where it continues a word.
    pub piece: String,
    /// Bytes of the text it stands for; empty for `[CLS]` and `[SEP]`.
    pub span: Range<usize>,
}

pub(super) fn open(settings: &[u8], vocabulary: &[u8]) -> Result<Tokenizer, ModelError> {
    let malformed = |file| {
        move |error: tokenizers::Error| ModelError::Malformed { file, reason: error.to_string() }
    };
    let mut tokenizer = Tokenizer::from_bytes(settings).map_err(malformed("tokenizer.json"))?;
    let ModelWrapper::WordPiece(model) = tokenizer.get_model() else {
        return Err(malformed("tokenizer.json")("not a WordPiece tokenizer".into()));
    };
    let vocabulary = WordPiece::read_bytes(vocabulary).map_err(malformed("vocabulary.txt"))?;
    let model = WordPiece::builder()
        .unk_token(model.unk_token.clone())
        .continuing_subword_prefix(model.continuing_subword_prefix.clone())
        .max_input_chars_per_word(model.max_input_chars_per_word)
        .vocab(vocabulary)
        .build()
        .map_err(malformed("vocabulary.txt"))?;
    tokenizer.with_model(model);
    let truncation = TruncationParams { max_length: MAX_TOKENS, ..TruncationParams::default() };
    tokenizer.with_truncation(Some(truncation)).map_err(malformed("tokenizer.json"))?;
    tokenizer.with_padding(None);
    Ok(tokenizer)
}

/// Splits a published `tokenizer.json` into settings and vocabulary.
pub(super) fn split(published: &[u8]) -> Result<(Vec<u8>, Vec<u8>), ModelError> {
    let malformed =
        |reason: String| ModelError::Malformed { file: "published tokenizer.json", reason };
    let mut settings: Value =
        serde_json::from_slice(published).map_err(|error| malformed(error.to_string()))?;
    let special: Vec<String> = (settings["added_tokens"].as_array().into_iter().flatten())
        .filter_map(|token| token["content"].as_str().map(str::to_owned))
        .collect();
    let Some(vocabulary) = settings["model"]["vocab"].as_object_mut() else {
        return Err(malformed("no vocabulary of word pieces".to_owned()));
    };
    let mut pieces: Vec<(u64, String)> = vocabulary
        .iter()
        .map(|(piece, id)| (id.as_u64().unwrap_or(u64::MAX), piece.clone()))
        .collect();
    pieces.sort_unstable();
    // The special tokens stay behind: the settings name them and must open alone.
    vocabulary.retain(|piece, _| special.contains(piece));
    let mut lines = String::new();
    for (line, (id, piece)) in pieces.iter().enumerate() {
        if *id != line as u64 || piece.contains('\n') || piece.trim_end() != piece {
            return Err(malformed(format!("word piece {piece:?} with id {id} at place {line}")));
        }
        lines.push_str(piece);
        lines.push('\n');
    }
    Ok((settings.to_string().into_bytes(), lines.into_bytes()))
}

pub(super) fn of(encoding: &Encoding) -> Vec<Token> {
    let parts = encoding.get_ids().iter().zip(encoding.get_tokens()).zip(encoding.get_offsets());
    parts
        .map(|((&id, piece), &(start, end))| Token { id, piece: piece.clone(), span: start..end })
        .collect()
}

pub(super) fn failed(error: tokenizers::Error) -> ModelError {
    ModelError::Run { reason: error.to_string() }
}
