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
        for shape in [None, Some((1, 128)), Some((2,128)), Some((4, 128)), Some((8,128))] {
            let start = Instant::now();
            let m = CrossEncoder::open_spike(&tok, &graph, 512, shape).unwrap();
            let open = start.elapsed();
            let pair = Pair { ids: (0..128i64).map(|i| (i * 97 + 1000) % 30000).collect(), types: (0..128).map(|i| (i > 20) as i64).collect(), truncated: false };
            if std::env::var("NODES").is_ok() { m.nodes(); }
            for batch in [1usize, 2, 4, 8] {
                if shape.is_some_and(|s| s.0 != batch) { continue; }
                let pairs: Vec<&Pair> = (0..batch).map(|_| &pair).collect();
                let mut best = f64::MAX;
                let mut cpu_best = f64::MAX;
                let mut out = vec![];
                for _ in 0..10 {
                    let c = cpu();
                    let t = Instant::now();
                    for _ in 0..(20.0 / batch as f64).ceil() as usize { out = m.score(&pairs).unwrap(); }
                    best = best.min(t.elapsed().as_secs_f64() * 1e3);
                    cpu_best = cpu_best.min(cpu() - c);
                }
                if std::env::var("PROFILE").is_ok() {
                    let mut sum: std::collections::BTreeMap<String, (u64, usize)> = Default::default();
                    for _ in 0..8 { for (k, ns, n) in m.profile(&pairs) { let e = sum.entry(k).or_insert((u64::MAX, n)); e.0 = e.0.min(ns * 20 / batch as u64); } }
                    let mut v: Vec<_> = sum.into_iter().collect(); v.sort_by_key(|it| std::cmp::Reverse(it.1.0));
                    let total: u64 = v.iter().map(|it| it.1.0).sum();
                    println!("total {:.1}", total as f64 / 1e6);
                    for (k, (ns, n)) in v.iter().take(30) { println!("    {:8.2} ms {n:4} {k}", *ns as f64 / 1e6); }
                }
                println!("{name:8} {shape:?} batch {batch}: {best:.0} ms, cpu {cpu_best:.0} ms for {} (open {open:?}) {:?}", batch*(20.0 / batch as f64).ceil() as usize, out[0]);
            }
        }
    }
}

fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    s.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e6
}
