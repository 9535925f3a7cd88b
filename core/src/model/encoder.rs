//! The sentence encoder: tokenise, look up, run the layers, pool.

use std::borrow::Cow;

use tokenizers::Tokenizer;

use super::{
    ModelError, math,
    tokens::{self, Token},
    weights::Weights,
};

/// Longest input in word pieces, `[CLS]` and `[SEP]` included; the rest of a text is not read.
/// all-MiniLM-L6-v2 was trained on sequences of up to 256.
pub const MAX_TOKENS: usize = 256;

/// Names of a model's files, in the order of the fields of [`ModelFiles`] and
/// [`Converted`](super::Converted).
pub const FILES: [&str; 3] = ["tokenizer.json", "vocabulary.txt", "weights.safetensors"];

/// The files of a model; embedded bytes are borrowed, files read from disk owned.
#[derive(Clone, Debug)]
pub struct ModelFiles {
    /// Id in the manifest, such as `all-minilm-l6-v2-int8`; packs name the model they were built with.
    pub id: Cow<'static, str>,
    /// `tokenizer.json`: everything about the tokenizer but its vocabulary.
    pub tokenizer: Cow<'static, [u8]>,
    /// `vocabulary.txt`: a word piece a line, in the order of their ids.
    pub vocabulary: Cow<'static, [u8]>,
    /// `weights.safetensors`.
    pub weights: Cow<'static, [u8]>,
}

impl ModelFiles {
    /// Gets each of [`FILES`] by its name from `read`.
    ///
    /// # Errors
    /// The first that `read` returns.
    pub fn read<E>(
        id: impl Into<Cow<'static, str>>,
        read: impl Fn(&'static str) -> Result<Vec<u8>, E>,
    ) -> Result<Self, E> {
        let [tokenizer, vocabulary, weights] = FILES.map(read);
        Ok(Self {
            id: id.into(),
            tokenizer: tokenizer?.into(),
            vocabulary: vocabulary?.into(),
            weights: weights?.into(),
        })
    }
}

/// Turns text into unit vectors whose dot product is their similarity.
///
/// The same text gives the same bits on every machine and in a component.
pub struct Encoder {
    id: String,
    tokenizer: Tokenizer,
    weights: Weights,
}

/// A text's vector and those of its word pieces.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoded {
    /// What [`Encoder::encode`] returns.
    pub pooled: Vec<f32>,
    /// The word pieces that were read, `[CLS]` and `[SEP]` included.
    pub tokens: Vec<Token>,
    /// The last layer's output: a row of [`Encoder::width`] numbers a token, of any length.
    pub rows: Vec<f32>,
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").field("id", &self.id).field("width", &self.width()).finish()
    }
}

impl Encoder {
    /// Opens a model; the weights stay where they are.
    ///
    /// # Errors
    /// [`ModelError::Malformed`], naming the file.
    pub fn open(files: ModelFiles) -> Result<Self, ModelError> {
        let weights = Weights::open(files.weights)?;
        let tokenizer = tokens::open(&files.tokenizer, &files.vocabulary)?;
        Ok(Self { id: files.id.into_owned(), tokenizer, weights })
    }

    /// The model's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Length of a vector.
    pub fn width(&self) -> usize {
        self.weights.width
    }

    /// Encodes `text`: the mean of its token vectors, scaled to length 1 (mean pooling as in
    /// Sentence-BERT, Reimers and Gurevych 2019). Text beyond [`MAX_TOKENS`] is not read.
    ///
    /// # Errors
    /// [`ModelError::Run`] when the model's files do not fit together.
    pub fn encode(&self, text: &str) -> Result<Vec<f32>, ModelError> {
        let encoding = self.tokenizer.encode_fast(text, true).map_err(tokens::failed)?;
        let rows = self.weights.run(encoding.get_ids())?;
        Ok(math::mean_direction(&rows, self.width()))
    }

    /// Encodes `text` as [`encode`](Self::encode) does, and keeps what its word pieces became.
    ///
    /// # Errors
    /// As for [`encode`](Self::encode).
    pub fn encode_tokens(&self, text: &str) -> Result<Encoded, ModelError> {
        let encoding = self.tokenizer.encode(text, true).map_err(tokens::failed)?;
        let rows = self.weights.run(encoding.get_ids())?;
        let pooled = math::mean_direction(&rows, self.width());
        Ok(Encoded { pooled, tokens: tokens::of(&encoding), rows })
    }
}
