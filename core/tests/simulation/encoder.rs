//! An encoder without layers, so that a schedule has both legs of the search and its answers are
//! cached: a text is the mean of the words in it that the documents have.

use std::fmt::Write as _;

use dossier_core::{
    fakes::SeededEntropy,
    model::{Encoder, MAX_TOKENS, ModelFiles},
};

const ID: &str = "words";
const WIDTH: usize = 64;
/// Every other word is `[UNK]`, which means nothing.
const WORDS: &str = "[UNK] davy matteucci medal royal society gave received nobel prize physics \
    born warsaw radium institute paris founded 1867 1903 1904 1909";

/// Opens it.
pub(crate) fn open() -> Encoder {
    let tokenizer = serde_json::json!({
        "version": "1.0",
        "added_tokens": [],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": true,
            "handle_chinese_chars": true,
            "strip_accents": null,
            "lowercase": true,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": null,
        "decoder": null,
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {"[UNK]": 0},
        },
    });
    let vocabulary: String = WORDS.split_whitespace().fold(String::new(), |mut lines, word| {
        writeln!(lines, "{word}").unwrap();
        lines
    });
    let files = ModelFiles {
        id: ID.into(),
        tokenizer: tokenizer.to_string().into_bytes().into(),
        vocabulary: vocabulary.into_bytes().into(),
        weights: weights().into(),
    };
    Encoder::open(files).unwrap()
}

/// A random direction for each word, and nothing for positions.
fn weights() -> Vec<u8> {
    let count = WORDS.split_whitespace().count();
    let chance = SeededEntropy::new(1);
    let mut words = vec![0; WIDTH];
    words.extend((WIDTH..count * WIDTH).map(|_| chance.next() as u8));
    let floats = |value: f32, count: usize| value.to_le_bytes().repeat(count);
    let tensors = [
        ("words", "I8", vec![count, WIDTH], words),
        ("words.scale", "F32", vec![count], floats(0.01, count)),
        ("positions", "F32", vec![MAX_TOKENS, WIDTH], floats(0.0, MAX_TOKENS * WIDTH)),
        ("norm.gain", "F32", vec![WIDTH], floats(1.0, WIDTH)),
        ("norm.bias", "F32", vec![WIDTH], floats(0.0, WIDTH)),
    ];
    let mut head = serde_json::json!({"__metadata__": {"heads": "1"}});
    let mut data = Vec::new();
    for (name, kind, shape, bytes) in tensors {
        let from = data.len();
        data.extend(bytes);
        let tensor =
            serde_json::json!({"dtype": kind, "shape": shape, "data_offsets": [from, data.len()]});
        head[name] = tensor;
    }
    let head = head.to_string().into_bytes();
    [&(head.len() as u64).to_le_bytes()[..], &head, &data].concat()
}
