//! The encoder gives the published values, and ONNX Runtime agrees on the graph.

use std::{fs, process::Command};

use dossier_core::model::{Encoder, ModelFiles, Precision, convert};
use dossier_tests::{encoder, model_folder};

/// First numbers of the published model's vector for this sentence, and its cosine with the other.
const SENTENCES: [&str; 2] = ["This is an example sentence", "Each sentence is converted"];
const KNOWN: [f32; 5] = [0.06766, 0.06350, 0.04871, 0.07930, 0.03745];
const COSINE: f32 = 0.4046;
const HEADS: usize = 12;

fn published(name: &str) -> Vec<u8> {
    let downloads = model_folder().unwrap().join("../../downloads/all-minilm-l6-v2");
    fs::read(downloads.join(name)).expect("run `cargo xtask model`")
}

fn float_encoder() -> Encoder {
    let converted = convert(&published("model.safetensors"), HEADS, Precision::Float).unwrap();
    Encoder::open(ModelFiles {
        id: "float".into(),
        tokenizer: published("tokenizer.json").into(),
        table: converted.table.into(),
        layers: converted.layers.into(),
    })
    .unwrap()
}

fn check(encoder: &Encoder, tolerance: f32) {
    let [first, second] = SENTENCES.map(|text| encoder.encode(text).unwrap());
    for (got, known) in first.iter().zip(KNOWN) {
        assert!((got - known).abs() < tolerance, "{got} for {known}");
    }
    let cosine: f32 = first.iter().zip(&second).map(|(a, b)| a * b).sum();
    assert!((cosine - COSINE).abs() < tolerance * 5.0, "{cosine}");
}

#[test]
fn the_known_answer() {
    check(&float_encoder(), 2e-5);
}

#[test]
fn bytes_for_weights_cost_little() {
    let (float, bytes) = (float_encoder(), encoder().unwrap());
    check(&bytes, 4e-3);
    for text in [SENTENCES[0], SENTENCES[1], "She received the Davy Medal in November 1903."] {
        let (a, b) = (float.encode(text).unwrap(), bytes.encode(text).unwrap());
        let cosine: f32 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
        println!("cosine of float and int8: {cosine:.5}");
        assert!(cosine > 0.995, "{text}: {cosine}");
    }
}

#[test]
fn long_text_is_cut_and_empty_text_has_a_vector() {
    let encoder = encoder().unwrap();
    let long = "radium ".repeat(2_000);
    assert_eq!(encoder.encode(&long).unwrap().len(), encoder.width());
    assert_eq!(encoder.encode("").unwrap().len(), encoder.width());
}

/// Runs a graph in ONNX Runtime on numbers from a file, and writes the result's beside it. As it is
/// written: its optimiser would multiply bytes by bytes, rounding the activations too.
const SCRIPT: &str = "
import sys, numpy, onnxruntime
graph, numbers, width = sys.argv[1], sys.argv[2], int(sys.argv[3])
options = onnxruntime.SessionOptions()
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
session = onnxruntime.InferenceSession(graph, options, providers=['CPUExecutionProvider'])
embedded = numpy.fromfile(numbers, dtype='<f4').reshape(1, -1, width)
session.run(None, {'embedded': embedded})[0].astype('<f4').tofile(numbers + '.out')
";

#[test]
fn onnx_runtime_agrees() {
    let Some(python) = std::env::var_os("DOSSIER_PYTHON") else {
        println!("SKIP: no Python with onnxruntime (DOSSIER_PYTHON is not set)");
        return;
    };
    for precision in [Precision::Float, Precision::Int8] {
        let converted = convert(&published("model.safetensors"), HEADS, precision).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (graph, numbers) = (folder.path().join("layers.onnx"), folder.path().join("numbers"));
        fs::write(&graph, &converted.layers).unwrap();
        let encoder = Encoder::open(ModelFiles {
            id: "compared".into(),
            tokenizer: published("tokenizer.json").into(),
            table: converted.table.into(),
            layers: converted.layers.into(),
        })
        .unwrap();
        for text in [SENTENCES[0].to_owned(), "Radium glows in the dark. ".repeat(20)] {
            let (embedded, hidden) = encoder.trace(&text).unwrap();
            let bytes: Vec<u8> = embedded.iter().flat_map(|it| it.to_le_bytes()).collect();
            fs::write(&numbers, bytes).unwrap();
            let status = Command::new(&python)
                .args(["-c", SCRIPT])
                .args([graph.as_os_str(), numbers.as_os_str()])
                .arg(encoder.width().to_string())
                .status()
                .unwrap();
            assert!(status.success());
            let theirs = fs::read(folder.path().join("numbers.out")).unwrap();
            let theirs =
                theirs.chunks_exact(4).map(|it| f32::from_le_bytes(it.try_into().unwrap()));
            assert_eq!(theirs.len(), hidden.len());
            let worst = theirs.zip(&hidden).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            println!("{precision:?}: largest difference from ONNX Runtime {worst:e}");
            assert!(worst < 1e-4, "{precision:?}: {worst}");
        }
    }
}
