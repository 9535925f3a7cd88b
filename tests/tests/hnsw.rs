//! The graph finds what an exact search finds.

use dossier_core::{
    fakes::SeededEntropy,
    index::{Dense, Index},
};
use dossier_tests::{cases, encoder, pack};

const DEPTH: usize = 10;
const FLOOR: f32 = 0.99;

fn recall(dense: &Dense, queries: &[Vec<f32>]) -> f32 {
    let found: usize = queries
        .iter()
        .map(|query| {
            let exact = dense.exact(query, DEPTH, &|_| true);
            let approximate = dense.approximate(query, DEPTH);
            let hit = |ordinal| approximate.iter().any(|near| near.ordinal == ordinal);
            exact.iter().filter(|near| hit(near.ordinal)).count()
        })
        .sum();
    found as f32 / (queries.len() * DEPTH) as f32
}

#[test]
fn recall_on_the_sample() {
    let (index, encoder) = (Index::open(pack().unwrap()).unwrap(), encoder().unwrap());
    let queries: Vec<Vec<f32>> =
        cases().unwrap().iter().map(|case| encoder.encode(&case.query).unwrap()).collect();
    let recall = recall(index.dense().unwrap(), &queries);
    println!("recall@10 on the sample: {recall:.4}");
    assert!(recall >= FLOOR, "{recall}");
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
    let dense = Dense::build((0..10_000).map(|_| unit()).collect());
    let queries: Vec<Vec<f32>> = (0..100).map(|_| unit()).collect();
    let recall = recall(&dense, &queries);
    println!("recall@10 on 10 000 random vectors: {recall:.4}");
    assert!(recall >= FLOOR, "seed {seed}: {recall}");
}
