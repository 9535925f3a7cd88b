//! Spike.
#![allow(clippy::all, clippy::print_stdout, clippy::unwrap_used)]
use dossier_reranker::model::*;
use std::time::Instant;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let tok = std::fs::read(format!("{}/.cache/dossier/models/all-minilm-l6-v2-int8/tokenizer.json", std::env::var("HOME").unwrap())).unwrap();
    let weights = random_weights(1).unwrap();
    for (name, precision, merged, cls_only) in [
        ("plain", Precision::Float, false, false),
        ("cls", Precision::Float, false, true),
        ("merged", Precision::Float, true, true),
        ("int8", Precision::Int8, false, true),
        ("int8m", Precision::Int8, true, true),
    ] {
        if args.len() > 1 && !args[1..].contains(&name.to_string()) { continue; }
        let graph = to_onnx(&weights, 12, precision, Layout { merged, cls_only }).unwrap();
        std::fs::write(format!("/tmp/spike-{name}.onnx"), &graph).unwrap();
        for shape in [None, Some((1, 128)), Some((20, 128)), Some((4,128))] {
            let start = Instant::now();
            let m = CrossEncoder::open_spike(&tok, &graph, 512, shape).unwrap();
            let open = start.elapsed();
            let pair = Pair { ids: (0..128i64).map(|i| (i * 97 + 1000) % 30000).collect(), types: (0..128).map(|i| (i > 20) as i64).collect(), truncated: false };
            for batch in [1usize, 4, 20] {
                if shape.is_some_and(|s| s.0 != batch) { continue; }
                let pairs: Vec<&Pair> = (0..batch).map(|_| &pair).collect();
                let mut best = f64::MAX;
                let mut out = vec![];
                for _ in 0..4 {
                    let t = Instant::now();
                    for _ in 0..20 / batch { out = m.score(&pairs).unwrap(); }
                    best = best.min(t.elapsed().as_secs_f64() * 1e3);
                }
                println!("{name:8} {shape:?} batch {batch}: {best:.0} ms for 20 (open {open:?}) {:?}", out[0]);
            }
        }
    }
}
