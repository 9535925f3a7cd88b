//! The dense leg: unit vectors of the chunks, searched exactly or through an HNSW graph.

use instant_distance::{Builder, Hnsw, Point, PointId, Search};
use serde::{Deserialize, Serialize};

use crate::pack::PackError;

/// Below this many chunks every vector is compared: exact, and as fast (`cargo xtask bench`).
const EXACT_BELOW: usize = 4_000;

/// Neighbours kept while searching; 0.99 of the true ten nearest are among them on random vectors,
/// the hardest case (`tests/tests/hnsw.rs`).
const EF_SEARCH: usize = 400;
const EF_CONSTRUCTION: usize = 200;
/// Fixed, so that the layers of a graph depend on nothing but its vectors.
const SEED: u64 = 0x0d05_51e5;

/// A chunk near a question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Near {
    /// Position of the chunk.
    pub ordinal: usize,
    /// Cosine similarity, from -1 to 1.
    pub similarity: f32,
}

/// The vectors and their graph.
#[derive(Deserialize, Serialize)]
pub struct Dense {
    /// The graph, which owns the vectors, in an order of its own.
    graph: Hnsw<Vector>,
    /// Each chunk's place in the graph.
    places: Vec<PointId>,
    /// The chunk at each place of the graph.
    ordinals: Vec<u32>,
}

#[derive(Clone, Deserialize, Serialize)]
struct Vector(Vec<f32>);

impl Point for Vector {
    fn distance(&self, other: &Self) -> f32 {
        1.0 - dot(&self.0, &other.0)
    }
}

impl std::fmt::Debug for Dense {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dense").field("chunks", &self.places.len()).finish()
    }
}

impl Dense {
    /// Builds the graph of unit vectors, one a chunk (Malkov and Yashunin 2016).
    pub fn build(vectors: Vec<Vec<f32>>) -> Self {
        let points = vectors.into_iter().map(Vector).collect();
        let (graph, places) = Builder::default()
            .seed(SEED)
            .ef_construction(EF_CONSTRUCTION)
            .ef_search(EF_SEARCH)
            .build_hnsw(points);
        let mut ordinals = vec![0; places.len()];
        for (ordinal, place) in places.iter().enumerate() {
            ordinals[place.into_inner() as usize] = ordinal as u32;
        }
        Self { graph, places, ordinals }
    }

    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, PackError> {
        postcard::to_stdvec(self).map_err(|error| PackError::damaged("dense", error))
    }

    pub(super) fn open(bytes: &[u8], chunks: usize, width: usize) -> Result<Self, PackError> {
        let dense: Self =
            postcard::from_bytes(bytes).map_err(|error| PackError::damaged("dense", error))?;
        let whole = dense.places.len() == chunks
            && dense.ordinals.len() == chunks
            && dense.graph.iter().count() == chunks
            && dense.graph.iter().all(|(_, point)| point.0.len() == width)
            && dense
                .places
                .iter()
                .map(|place| place.into_inner())
                .chain(dense.ordinals.iter().copied())
                .all(|it| (it as usize) < chunks);
        whole.then_some(dense).ok_or_else(|| PackError::damaged("dense", "lengths differ"))
    }

    /// Returns the `limit` chunks nearest to the unit vector `query`, nearest first: exactly where
    /// that is quick or a filter makes the graph's neighbours useless, else through the graph.
    pub fn search(
        &self,
        query: &[f32],
        limit: usize,
        filter: Option<&dyn Fn(usize) -> bool>,
    ) -> Vec<Near> {
        match filter {
            Some(allowed) => self.exact(query, limit, allowed),
            None if self.places.len() < EXACT_BELOW => self.exact(query, limit, &|_| true),
            None => self.approximate(query, limit),
        }
    }

    /// Compares every allowed vector.
    pub fn exact(&self, query: &[f32], limit: usize, allowed: &dyn Fn(usize) -> bool) -> Vec<Near> {
        let mut near: Vec<Near> = self
            .graph
            .iter()
            .zip(&self.ordinals)
            .filter(|(_, ordinal)| allowed(**ordinal as usize))
            .map(|((_, point), &ordinal)| Near {
                ordinal: ordinal as usize,
                similarity: dot(query, &point.0),
            })
            .collect();
        if limit < near.len() {
            near.select_nth_unstable_by(limit, nearest_first);
            near.truncate(limit);
        }
        near.sort_by(nearest_first);
        near
    }

    /// Returns the vector of a chunk.
    ///
    /// # Panics
    /// Without such a chunk.
    pub fn vector(&self, ordinal: usize) -> &[f32] {
        &self.graph[self.places[ordinal]].0
    }

    /// Walks the graph; may miss some of the nearest.
    pub fn approximate(&self, query: &[f32], limit: usize) -> Vec<Near> {
        let mut search = Search::default();
        let mut near: Vec<Near> = self
            .graph
            .search(&Vector(query.to_vec()), &mut search)
            .take(limit)
            .map(|item| Near {
                ordinal: self.ordinals[item.pid.into_inner() as usize] as usize,
                similarity: 1.0 - item.distance,
            })
            .collect();
        near.sort_by(nearest_first);
        near
    }

    /// Cosine similarity of one chunk to the unit vector `query`.
    pub fn similarity(&self, query: &[f32], ordinal: usize) -> f32 {
        dot(query, &self.graph[self.places[ordinal]].0)
    }
}

fn nearest_first(a: &Near, b: &Near) -> std::cmp::Ordering {
    b.similarity.total_cmp(&a.similarity).then(a.ordinal.cmp(&b.ordinal))
}

/// Sixteen sums side by side: the compiler makes them SIMD lanes on every target.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0.0_f32; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f32 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a_chunks.zip(b_chunks) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_nearest_and_keeps_the_filter() {
        let unit = |angle: f32| vec![angle.cos(), angle.sin()];
        let dense = Dense::build((0..100).map(|n| unit(n as f32 / 100.0)).collect());
        let query = unit(0.422);
        let found: Vec<usize> =
            dense.search(&query, 3, None).iter().map(|near| near.ordinal).collect();
        assert_eq!(found, [42, 43, 41]);
        let even = dense.search(&query, 2, Some(&|ordinal| ordinal % 2 == 0));
        assert_eq!((even[0].ordinal, even[1].ordinal), (42, 44));
        assert_eq!(dense.approximate(&query, 1)[0].ordinal, 42);
        assert!((dense.similarity(&query, 42) - 0.002_f32.cos()).abs() < 1e-6);
    }

    #[test]
    fn dot_takes_any_length() {
        let ones = |n| vec![1.0; n];
        for n in [0, 1, 15, 16, 17, 384] {
            assert!((dot(&ones(n), &ones(n)) - n as f32).abs() < 1e-6);
        }
    }
}
