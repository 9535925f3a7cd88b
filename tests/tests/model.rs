//! The encoder gives the published values, and other runtimes agree on the network.

use std::{fs, process::Command};

use dossier_core::model::{Encoder, MAX_TOKENS};
use dossier_tests::{
    cases, encoder, published,
    reference::{Tract, Weights, onnx},
    root,
};
use tokenizers::{Tokenizer, TruncationParams};

/// First numbers of the published model's vector for this sentence, and its cosine with the other.
const SENTENCES: [&str; 2] = ["This is an example sentence", "Each sentence is converted"];
const KNOWN: [f32; 5] = [0.06766, 0.06350, 0.04871, 0.07930, 0.03745];
const COSINE: f32 = 0.4046;

fn texts() -> [String; 4] {
    let [first, second] = SENTENCES.map(str::to_owned);
    let third = "She received the Davy Medal in November 1903.".to_owned();
    [first, second, third, "Radium glows in the dark. ".repeat(20)]
}

fn graph(weights: Weights) -> Vec<u8> {
    onnx(&published("model.safetensors").unwrap(), weights).unwrap()
}

fn tract(weights: Weights) -> Tract {
    Tract::open(&graph(weights)).unwrap()
}

/// Ids of a text's word pieces.
fn ids(encoder: &Encoder, text: &str) -> Vec<u32> {
    encoder.encode_tokens(text).unwrap().tokens.iter().map(|token| token.id).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// The mean of rows, scaled to length 1.
fn pooled(rows: &[f32], width: usize) -> Vec<f32> {
    let sum: Vec<f32> =
        (0..width).map(|at| rows.iter().skip(at).step_by(width).sum::<f32>()).collect();
    let length = sum.iter().map(|it| it * it).sum::<f32>().sqrt();
    sum.iter().map(|it| it / length).collect()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn check_known(vectors: [Vec<f32>; 2], tolerance: f32) {
    let [first, second] = vectors;
    for (got, known) in first.iter().zip(KNOWN) {
        assert!((got - known).abs() < tolerance, "{got} for {known}");
    }
    let cosine = cosine(&first, &second);
    assert!((cosine - COSINE).abs() < tolerance * 5.0, "{cosine}");
}

#[test]
fn the_known_answer() {
    let encoder = encoder().unwrap();
    check_known(SENTENCES.map(|text| encoder.encode(text).unwrap()), 4e-3);
    let tract = tract(Weights::Published);
    let run = |text| pooled(&tract.run(&ids(&encoder, text)).unwrap(), encoder.width());
    check_known(SENTENCES.map(run), 2e-5);
}

#[test]
fn bytes_for_weights_cost_little() {
    let (tract, encoder) = (tract(Weights::Published), encoder().unwrap());
    for text in texts() {
        let floats = pooled(&tract.run(&ids(&encoder, &text)).unwrap(), encoder.width());
        let cosine = cosine(&floats, &encoder.encode(&text).unwrap());
        println!("cosine of float and int8: {cosine:.5}");
        assert!(cosine > 0.995, "{text}: {cosine}");
    }
}

/// Only the activations differ: ours are rounded to 13 bits and more.
#[test]
fn tract_agrees_on_the_rounded_weights() {
    let (tract, encoder) = (tract(Weights::Rounded), encoder().unwrap());
    for text in texts() {
        let ours = encoder.encode_tokens(&text).unwrap();
        let rows = tract.run(&ids(&encoder, &text)).unwrap();
        check_rows("tract", &ours.rows, &rows, encoder.width());
    }
}

fn check_rows(runtime: &str, ours: &[f32], theirs: &[f32], width: usize) {
    let rows = largest_difference(ours, theirs);
    let pooled = largest_difference(&pooled(ours, width), &pooled(theirs, width));
    println!("largest difference from {runtime}: rows {rows:.1e}, unit vectors {pooled:.1e}");
    assert!(rows < 2e-3 && pooled < 2e-4, "{runtime}: rows {rows}, unit vectors {pooled}");
}

#[test]
fn long_text_is_cut_and_empty_text_has_a_vector() {
    let encoder = encoder().unwrap();
    let long = encoder.encode_tokens(&"radium ".repeat(2_000)).unwrap();
    assert_eq!(long.tokens.len(), MAX_TOKENS);
    assert_eq!(long.rows.len(), MAX_TOKENS * encoder.width());
    assert_eq!(encoder.encode("").unwrap().len(), encoder.width());
}

#[test]
fn tokens_name_their_place_in_the_text() {
    let encoder = encoder().unwrap();
    let text = "Zoë's radium";
    let encoded = encoder.encode_tokens(text).unwrap();
    let pieces: Vec<_> = encoded
        .tokens
        .iter()
        .map(|token| (token.piece.as_str(), &text[token.span.clone()]))
        .collect();
    assert_eq!(
        pieces,
        [
            ("[CLS]", ""),
            ("zoe", "Zoë"),
            ("'", "'"),
            ("s", "s"),
            ("ra", "ra"),
            ("##dium", "dium"),
            ("[SEP]", "")
        ]
    );
    assert_eq!(encoded.pooled, encoder.encode(text).unwrap());
}

/// The converted tokenizer keeps its vocabulary apart; the ids are those of the published one.
#[test]
fn word_pieces_are_the_published_ones() {
    let encoder = encoder().unwrap();
    let mut theirs = Tokenizer::from_bytes(published("tokenizer.json").unwrap()).unwrap();
    let truncation = TruncationParams { max_length: MAX_TOKENS, ..TruncationParams::default() };
    theirs.with_truncation(Some(truncation)).unwrap();
    theirs.with_padding(None);
    let documents = fs::read_dir(root().join("data/docs")).unwrap();
    let documents = documents.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    let documents: Vec<String> = documents.collect();
    let cases = cases().unwrap();
    let odd = ["", "[MASK] me", "naïve CAFÉ — 東京 \u{0}\u{200b} 🙂", "word[SEP]word", "a\u{301}"];
    let lines = documents.iter().flat_map(|text| text.lines());
    let lines = lines.chain(cases.iter().map(|case| case.query.as_str())).chain(odd);
    let mut checked = 0;
    for line in lines {
        assert_eq!(ids(&encoder, line), theirs.encode(line, true).unwrap().get_ids(), "{line}");
        checked += 1;
    }
    assert!(checked > 200, "{checked} lines");
}

/// Runs a graph in ONNX Runtime on ids from a file, and writes the result beside it.
const SCRIPT: &str = "
import sys, numpy, onnxruntime
graph, numbers = sys.argv[1], sys.argv[2]
session = onnxruntime.InferenceSession(graph, providers=['CPUExecutionProvider'])
tokens = numpy.fromfile(numbers, dtype='<i8').reshape(1, -1)
positions = numpy.arange(tokens.size).reshape(1, -1)
hidden = session.run(None, {'tokens': tokens, 'positions': positions})[0]
hidden.astype('<f4').tofile(numbers + '.out')
";

#[test]
fn onnx_runtime_agrees() {
    let Some(python) = std::env::var_os("DOSSIER_PYTHON") else {
        println!("SKIP: no Python with onnxruntime (DOSSIER_PYTHON is not set)");
        return;
    };
    let encoder = encoder().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (file, numbers) = (folder.path().join("encoder.onnx"), folder.path().join("numbers"));
    fs::write(&file, graph(Weights::Rounded)).unwrap();
    for text in texts() {
        let ours = encoder.encode_tokens(&text).unwrap();
        let ids: Vec<u8> =
            ours.tokens.iter().flat_map(|token| i64::from(token.id).to_le_bytes()).collect();
        fs::write(&numbers, ids).unwrap();
        let arguments = [file.as_os_str(), numbers.as_os_str()];
        let status = Command::new(&python).args(["-c", SCRIPT]).args(arguments).status().unwrap();
        assert!(status.success());
        let theirs = fs::read(folder.path().join("numbers.out")).unwrap();
        let theirs = theirs.as_chunks().0.iter().map(|it| f32::from_le_bytes(*it));
        check_rows("ONNX Runtime", &ours.rows, &theirs.collect::<Vec<_>>(), encoder.width());
    }
}
