//! The cross-encoder's graphs: ONNX Runtime agrees on them, and bytes cost little.

use std::{fs, process::Command};

use dossier_reranker::model::{
    CrossEncoder, Network, Pair, Precision, Published, random_model, to_onnx,
};
use dossier_tests::published;

const QUERY: &str = "Where was she born?";

fn model() -> Published {
    random_model(7, published("tokenizer.json").unwrap()).unwrap()
}

fn open(precision: Precision) -> CrossEncoder {
    CrossEncoder::open(model(), precision, 128).unwrap()
}

/// Pairs of many lengths, the longest cut to 128 word pieces.
fn pairs(model: &CrossEncoder) -> Vec<Pair> {
    let documents = (0..8).map(|at| "Radium glows in the dark. ".repeat(at * at));
    let pairs: Vec<Pair> = documents.map(|it| model.pair(QUERY, &it).unwrap()).collect();
    assert!(pairs[7].truncated && pairs[7].ids.len() == 128 && !pairs[1].truncated);
    pairs
}

#[test]
fn a_pair_is_marked_as_bert_was_trained() {
    let model = open(Precision::Float);
    let pair = model.pair("radium", "polonium").unwrap();
    let (cls, sep) = (101, 102);
    let middle = pair.ids.iter().skip(1).position(|id| *id == sep).unwrap() + 1;
    assert_eq!((pair.ids[0], pair.ids[pair.ids.len() - 1]), (cls, sep));
    let (first, second) = pair.types.split_at(middle + 1);
    assert!(first.iter().all(|it| *it == 0) && second.iter().all(|it| *it == 1), "{pair:?}");
}

#[test]
fn bytes_for_products_cost_little() {
    let (float, bytes) = (open(Precision::Float), open(Precision::Int8));
    let mut scores = Vec::new();
    for pair in pairs(&float) {
        let [a, b] = [&float, &bytes].map(|model| model.score(&pair).unwrap());
        println!("{:>3} word pieces: float {a:.4}, int8 {b:.4}", pair.ids.len());
        assert!((a - b).abs() < 0.05, "{a} and {b}");
        scores.push(a);
    }
    // Else a constant would pass.
    let spread = scores.iter().copied().fold(f32::MIN, f32::max)
        - scores.iter().copied().fold(f32::MAX, f32::min);
    assert!(spread > 0.2, "{scores:?}");
}

/// Runs a graph in ONNX Runtime on pairs from a file, one line of ids and one of types each, and
/// prints the scores. As it is written: its optimiser would round otherwise.
const SCRIPT: &str = "
import sys, numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=['CPUExecutionProvider'])
lines = [numpy.array([line.split()], dtype='int64') for line in open(sys.argv[2])]
for ids, types in zip(lines[::2], lines[1::2]):
    print(session.run(None, {'input_ids': ids, 'token_type_ids': types})[0][0][0])
";

#[test]
fn onnx_runtime_agrees_on_cross_encoders() {
    let Some(python) = std::env::var_os("DOSSIER_PYTHON") else {
        println!("SKIP: no Python with onnxruntime (DOSSIER_PYTHON is not set)");
        return;
    };
    let Published { network: Network::Bert { weights, heads }, .. } = model() else {
        panic!("random models are BERTs");
    };
    // In bytes, an input that is rounded to the other side of a step moves the score by a step.
    for (precision, tolerance) in [(Precision::Float, 1e-4), (Precision::Int8, 0.05)] {
        let folder = tempfile::tempdir().unwrap();
        let (graph, numbers) = (folder.path().join("model.onnx"), folder.path().join("pairs"));
        fs::write(&graph, to_onnx(&weights, heads, precision).unwrap()).unwrap();
        let model = open(precision);
        let pairs = pairs(&model);
        let line = |ids: &[i64]| ids.iter().map(i64::to_string).collect::<Vec<_>>().join(" ");
        let lines = pairs.iter().flat_map(|pair| [line(&pair.ids), line(&pair.types)]);
        fs::write(&numbers, lines.collect::<Vec<_>>().join("\n")).unwrap();
        let run = Command::new(&python).args(["-c", SCRIPT]).arg(&graph).arg(&numbers).output();
        let run = run.unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let theirs = String::from_utf8(run.stdout).unwrap();
        let theirs: Vec<f32> = theirs.lines().map(|line| line.parse().unwrap()).collect();
        assert_eq!(theirs.len(), pairs.len());
        let ours = pairs.iter().map(|pair| model.score(pair).unwrap());
        let worst = ours.zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        println!("{precision:?}: largest difference from ONNX Runtime {worst:e}");
        assert!(worst < tolerance, "{precision:?}: {worst}");
    }
}
