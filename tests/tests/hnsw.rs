//! The graph finds what an exact search finds, and one byte a number loses next to nothing.

use dossier_core::{
    fakes::SeededEntropy,
    index::{Dense, Index},
};
use dossier_tests::{cases, encoder, pack};

const DEPTH: usize = 10;
const FLOOR: f32 = 0.99;

/// Share of the `truth`, lists of ordinals, that is in `found`.
fn recall(truth: &[Vec<usize>], found: &[Vec<usize>]) -> f32 {
    let pairs = truth.iter().zip(found);
    let hits: usize =
        pairs.map(|(truth, found)| truth.iter().filter(|it| found.contains(it)).count()).sum();
    hits as f32 / truth.iter().map(Vec::len).sum::<usize>() as f32
}

fn exact(dense: &Dense, queries: &[Vec<f32>]) -> Vec<Vec<usize>> {
    let near = |query: &Vec<f32>| dense.exact(query, DEPTH, &|_| true);
    queries.iter().map(|query| near(query).iter().map(|near| near.ordinal).collect()).collect()
}

fn approximate(dense: &Dense, queries: &[Vec<f32>]) -> Vec<Vec<usize>> {
    let near = |query: &Vec<f32>| dense.approximate(query, DEPTH);
    queries.iter().map(|query| near(query).iter().map(|near| near.ordinal).collect()).collect()
}

#[test]
fn recall_on_the_sample() {
    let (index, encoder) = (Index::open(pack().unwrap()).unwrap(), encoder().unwrap());
    let queries: Vec<Vec<f32>> =
        cases().unwrap().iter().map(|case| encoder.encode(&case.query).unwrap()).collect();
    let vectors: Vec<Vec<f32>> =
        index.chunks().iter().map(|chunk| encoder.encode(&chunk.encoded_text()).unwrap()).collect();
    let dense = Dense::build(&vectors).unwrap().with_graph().unwrap();
    let graph = recall(&exact(&dense, &queries), &approximate(&dense, &queries));
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let unrounded: Vec<Vec<usize>> = queries
        .iter()
        .map(|query| {
            let mut order: Vec<usize> = (0..vectors.len()).collect();
            order.sort_by(|a, b| dot(query, &vectors[*b]).total_cmp(&dot(query, &vectors[*a])));
            order.truncate(DEPTH);
            order
        })
        .collect();
    let bytes = recall(&unrounded, &exact(&dense, &queries));
    println!("recall@10 on the sample: of the graph {graph:.4}, of bytes for floats {bytes:.4}");
    assert!(graph >= FLOOR && bytes >= 0.98, "{graph} {bytes}");
}

#[test]
fn recall_on_random_vectors() {
    let seed = 20_260_801;
    println!("seed {seed}");
    let entropy = SeededEntropy::new(seed);
    let unit = || -> Vec<f32> {
        // A sum of uniform numbers is near enough to normal: directions come out even.
        let uniform = || (entropy.next() >> 40) as f32 / (1u64 << 24) as f32 - 0.5;
        let vector: Vec<f32> = (0..384).map(|_| (0..4).map(|_| uniform()).sum()).collect();
        let length = vector.iter().map(|it| it * it).sum::<f32>().sqrt();
        vector.iter().map(|it| it / length).collect()
    };
    let vectors: Vec<Vec<f32>> = (0..5_000).map(|_| unit()).collect();
    let dense = Dense::build(&vectors).unwrap().with_graph().unwrap();
    let queries: Vec<Vec<f32>> = (0..100).map(|_| unit()).collect();
    let recall = recall(&exact(&dense, &queries), &approximate(&dense, &queries));
    println!("recall@10 on 5 000 random vectors: {recall:.4}");
    assert!(recall >= FLOOR, "seed {seed}: {recall}");
}
