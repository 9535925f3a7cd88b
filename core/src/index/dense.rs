//! The dense leg: the chunks' vectors, all compared or found through a graph.

use std::cmp::Ordering;

use tantivy::directory::OwnedBytes;

use super::{
    graph::Graph,
    vectors::{Query, Vectors},
};
use crate::pack::PackError;

/// From this many chunks on a pack carries a graph; below, comparing every vector is exact and as
/// quick (`docs/scale.md`).
const GRAPH_FROM: usize = 20_000;

/// Chunks kept while walking the graph: the more, the fewer of the nearest are missed
/// (`docs/scale.md`, `tests/tests/hnsw.rs`).
const EF_SEARCH: usize = 1_600;

/// A chunk near a question; the greater of two is the nearer, or the earlier where both are as near.
#[derive(Clone, Copy, Debug)]
pub struct Near {
    /// Position of the chunk.
    pub ordinal: usize,
    /// Cosine similarity, from -1 to 1.
    pub similarity: f32,
}

impl Ord for Near {
    fn cmp(&self, other: &Self) -> Ordering {
        self.similarity.total_cmp(&other.similarity).then(other.ordinal.cmp(&self.ordinal))
    }
}

impl PartialOrd for Near {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Near {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Near {}

/// The vectors and, in a large pack, their graph.
#[derive(Clone)]
pub struct Dense {
    vectors: Vectors,
    graph: Option<Graph>,
}

impl std::fmt::Debug for Dense {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = f.debug_struct("Dense");
        out.field("chunks", &self.vectors.len()).field("graph", &self.graph.is_some()).finish()
    }
}

impl Dense {
    /// Takes unit vectors, one a chunk, and links them to a graph where they are many.
    ///
    /// # Errors
    /// [`PackError::Damaged`] where the vectors are not finite or differ in length.
    pub fn build<V: AsRef<[f32]>>(vectors: &[V]) -> Result<Self, PackError> {
        let width = vectors.first().map_or(0, |vector| vector.as_ref().len());
        let rows = OwnedBytes::new(Vectors::write(vectors, width)?);
        let dense = Self { vectors: Vectors::open(rows, vectors.len(), width)?, graph: None };
        if vectors.len() < GRAPH_FROM { Ok(dense) } else { dense.with_graph() }
    }

    /// Links the vectors to a graph, however few they are.
    ///
    /// # Errors
    /// [`PackError::Damaged`] where the graph cannot be written.
    pub fn with_graph(mut self) -> Result<Self, PackError> {
        let graph = OwnedBytes::new(Graph::write(&self.vectors)?);
        self.graph = Some(Graph::open(graph)?);
        Ok(self)
    }

    /// Opens the sections of a pack with `count` chunks.
    pub(super) fn open(
        vectors: OwnedBytes,
        graph: Option<OwnedBytes>,
        count: usize,
        width: usize,
    ) -> Result<Self, PackError> {
        let vectors = Vectors::open(vectors, count, width)?;
        let graph = graph.map(Graph::open).transpose()?;
        Ok(Self { vectors, graph })
    }

    /// Numbers in a vector.
    pub(super) fn width(&self) -> usize {
        self.vectors.width()
    }

    /// Its sections, by name.
    pub(super) fn sections(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        let graph = self.graph.as_ref().map(|graph| ("graph", graph.bytes()));
        [("vectors", self.vectors.bytes())].into_iter().chain(graph)
    }

    /// Returns the `limit` chunks nearest to the unit vector `query`, nearest first: through the
    /// graph, where there is one and no filter makes its neighbours useless.
    pub fn search(
        &self,
        query: &[f32],
        limit: usize,
        filter: Option<&dyn Fn(usize) -> bool>,
    ) -> Vec<Near> {
        match filter {
            Some(allowed) => self.exact(query, limit, allowed),
            None => self.approximate(query, limit),
        }
    }

    /// Compares every allowed vector.
    pub fn exact(&self, query: &[f32], limit: usize, allowed: &dyn Fn(usize) -> bool) -> Vec<Near> {
        let query = Query::new(query);
        let mut near: Vec<Near> = (self.vectors.iter().enumerate())
            .filter(|(ordinal, _)| allowed(*ordinal))
            .map(|(ordinal, row)| Near { ordinal, similarity: query.dot(row) })
            .collect();
        if limit < near.len() {
            near.select_nth_unstable_by(limit, |a, b| b.cmp(a));
            near.truncate(limit);
        }
        near.sort_unstable_by(|a, b| b.cmp(a));
        near
    }

    /// Walks the graph, and may miss some of the nearest; exact where there is no graph.
    pub fn approximate(&self, query: &[f32], limit: usize) -> Vec<Near> {
        let Some(graph) = &self.graph else { return self.exact(query, limit, &|_| true) };
        let mut near = graph.search(&Query::new(query), &self.vectors, EF_SEARCH.max(limit));
        near.truncate(limit);
        near
    }

    /// Cosine similarity of one chunk to the unit vector `query`.
    pub fn similarity(&self, query: &[f32], ordinal: usize) -> f32 {
        self.vectors.row(ordinal).map_or(0.0, |row| Query::new(query).dot(row))
    }

    /// The vector of a chunk, as near as the pack keeps it: building with it gives the same pack.
    pub fn vector(&self, ordinal: usize) -> Option<Vec<f32>> {
        self.vectors.vector(ordinal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_nearest_and_keeps_the_filter() {
        let unit = |angle: f32| vec![angle.cos(), angle.sin()];
        let vectors: Vec<_> = (0..100).map(|n| unit(n as f32 / 10.0)).collect();
        let query = unit(4.22);
        let ordinals = |near: Vec<Near>| near.iter().map(|it| it.ordinal).collect::<Vec<_>>();
        let plain = Dense::build(&vectors).unwrap();
        for dense in [plain.clone(), plain.with_graph().unwrap()] {
            assert_eq!(ordinals(dense.search(&query, 3, None)), [42, 43, 41]);
            assert_eq!(ordinals(dense.search(&query, 2, Some(&|it| it % 2 == 0))), [42, 44]);
            assert!((dense.similarity(&query, 42) - 0.02_f32.cos()).abs() < 0.01);
        }
    }

    #[test]
    fn a_graph_depends_on_its_vectors_alone() {
        let entropy = crate::fakes::SeededEntropy::new(7);
        let vectors: Vec<Vec<f32>> = (0..500)
            .map(|_| (0..8).map(|_| (entropy.next() >> 40) as f32 - (1 << 23) as f32).collect())
            .collect();
        let graph = || {
            let dense = Dense::build(&vectors).unwrap().with_graph().unwrap();
            dense.sections().last().map(|(name, bytes)| (name, bytes.to_vec()))
        };
        let first = graph();
        assert!(first.as_ref().is_some_and(|(name, bytes)| *name == "graph" && bytes.len() > 500));
        assert_eq!(first, graph());
    }
}
