//! The HNSW graph (Malkov and Yashunin 2016): built by instant-distance, walked where it lies.
//!
//! The library's own search wants to own what it walks, which would copy every vector at the first
//! question, and it trusts its links. Here the section `graph` is numbers (`u32`, little-endian):
//!
//! ```text
//! number of layers above the lowest, and of the chunks in each, lowest first
//! lowest layer: 64 neighbours a chunk, in the order of chunks, nearest first
//! layers above: their chunks in order, then 32 neighbours for each
//! ```
//!
//! Neighbours are ordinals of chunks; [`NONE`] ends a list.

use std::{cmp::Reverse, collections::BinaryHeap};

use instant_distance::{Builder, Point};
use serde::{Deserialize, Serialize, Serializer};
use tantivy::directory::OwnedBytes;

use super::{
    dense::Near,
    vectors::{Query, Row, Vectors},
};
use crate::pack::PackError;

/// Neighbours kept while building; what more finds is not worth the time (`docs/scale.md`).
const EF_CONSTRUCTION: usize = 100;
/// Fixed, so that a graph depends on nothing but its vectors.
const SEED: u64 = 0x0d05_51e5;
const NONE: u32 = u32::MAX;
/// Links of a chunk in the lowest layer, and in those above it: the library's choice.
const LINKS: usize = 64;
const LINKS_ABOVE: usize = 32;

/// The links between near chunks.
#[derive(Clone)]
pub(super) struct Graph {
    bytes: OwnedBytes,
    lowest: OwnedBytes,
    /// Highest first: the chunks of a layer, and their links.
    above: Vec<(OwnedBytes, OwnedBytes)>,
}

impl Graph {
    /// Links every chunk to near ones, always in the same way.
    pub(super) fn write(vectors: &Vectors) -> Result<Vec<u8>, PackError> {
        let damaged = |error: &dyn std::fmt::Display| PackError::damaged("graph", error);
        let places: Vec<Place<'_>> = vectors.iter().map(Place).collect();
        let builder = Builder::default().seed(SEED).ef_construction(EF_CONSTRUCTION);
        // The library inserts from several threads at once, in no fixed order.
        let (graph, places) = match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
            Ok(pool) => pool.install(|| builder.build_hnsw(places)),
            // Components have no threads, and there the library has none to use.
            Err(_) => builder.build_hnsw(places),
        };
        let graph = postcard::to_stdvec(&graph).map_err(|error| damaged(&error))?;
        let graph: Layers = postcard::from_bytes(&graph).map_err(|error| damaged(&error))?;

        let mut ordinals = vec![0_u32; places.len()];
        for (ordinal, place) in places.iter().enumerate() {
            ordinals[place.into_inner() as usize] = ordinal as u32;
        }
        let ordinal = |place: u32| ordinals.get(place as usize).copied().unwrap_or(NONE);
        let mut numbers = vec![graph.above.len() as u32];
        numbers.extend(graph.above.iter().map(|layer| layer.len() as u32));
        for place in &places {
            let (first, second) = graph.lowest[place.into_inner() as usize];
            numbers.extend(first.into_iter().chain(second).map(ordinal));
        }
        for layer in &graph.above {
            let mut members: Vec<(u32, &[u32; LINKS_ABOVE])> =
                ordinals.iter().copied().zip(layer).collect();
            members.sort_unstable();
            numbers.extend(members.iter().map(|(member, _)| member));
            numbers.extend(members.iter().flat_map(|(_, links)| *links).map(|it| ordinal(*it)));
        }
        Ok(numbers.into_iter().flat_map(u32::to_le_bytes).collect())
    }

    /// Opens the graph of this many chunks. Links are looked at when they are followed, and those
    /// that lead nowhere are not.
    pub(super) fn open(bytes: OwnedBytes, chunks: usize) -> Result<Self, PackError> {
        let mut rest = bytes.clone();
        let mut take = |count: usize| {
            let length = count.checked_mul(4).filter(|length| *length <= rest.len());
            let length = length.ok_or_else(|| PackError::damaged("graph", "is cut short"))?;
            let taken = rest.slice(0..length);
            rest.advance(length);
            Ok(taken)
        };
        let layers = number(&take(1)?, 0).unwrap_or(0) as usize;
        let sizes = take(layers)?;
        let lowest = take(chunks.saturating_mul(LINKS))?;
        let mut above = Vec::new();
        for size in numbers(&sizes) {
            let members = take(size as usize)?;
            above.push((members, take((size as usize).saturating_mul(LINKS_ABOVE))?));
        }
        above.reverse();
        Ok(Self { bytes, lowest, above })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Finds about the `count` chunks nearest to `query`, nearest first; more of the true ones the
    /// greater `count` is.
    pub(super) fn search(&self, query: &Query, vectors: &Vectors, count: usize) -> Vec<Near> {
        let near = |ordinal: u32| {
            let ordinal = ordinal as usize;
            Some(Near { ordinal, similarity: query.dot(vectors.row(ordinal)?) })
        };
        let highest = self.above.first().and_then(|(members, _)| number(members, 0));
        let Some(mut entry) = near(highest.unwrap_or(0)) else { return Vec::new() };
        for (members, links) in &self.above {
            // Every step comes nearer, so this ends.
            while let Some(next) = numbers_of(links, place(members, entry.ordinal), LINKS_ABOVE)
                .filter_map(near)
                .max()
                .filter(|next| *next > entry)
            {
                entry = next;
            }
        }
        let mut seen = vec![false; vectors.len()];
        seen[entry.ordinal] = true;
        let mut candidates = BinaryHeap::from([entry]);
        let mut found = BinaryHeap::from([Reverse(entry)]);
        while let Some(next) = candidates.pop() {
            let is_full = found.len() >= count;
            if is_full && found.peek().is_some_and(|Reverse(worst)| next < *worst) {
                break;
            }
            for neighbour in numbers_of(&self.lowest, Some(next.ordinal), LINKS) {
                match seen.get_mut(neighbour as usize) {
                    Some(seen) if !*seen => *seen = true,
                    Some(_) | None => continue,
                }
                let Some(neighbour) = near(neighbour) else { continue };
                let is_full = found.len() >= count;
                if is_full && found.peek().is_some_and(|Reverse(worst)| neighbour < *worst) {
                    continue;
                }
                candidates.push(neighbour);
                found.push(Reverse(neighbour));
                if is_full {
                    found.pop();
                }
            }
        }
        found.into_sorted_vec().into_iter().map(|Reverse(near)| near).collect()
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.as_chunks().0.get(at).map(|bytes| u32::from_le_bytes(*bytes))
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes))
}

/// The list of `length` numbers at `place`, up to its end.
fn numbers_of(links: &[u8], place: Option<usize>, length: usize) -> impl Iterator<Item = u32> {
    let start = place.map(|place| place * length * 4);
    let list = start.and_then(|start| links.get(start..start + length * 4));
    numbers(list.unwrap_or_default()).take_while(|number| *number != NONE)
}

/// Where `ordinal` stands among the chunks of a layer.
fn place(members: &[u8], ordinal: usize) -> Option<usize> {
    let (members, _) = members.as_chunks();
    members.binary_search_by_key(&ordinal, |bytes| u32::from_le_bytes(*bytes) as usize).ok()
}

/// A chunk in the library's graph, which is written without its vectors.
#[derive(Clone, Copy)]
struct Place<'a>(Row<'a>);

impl Point for Place<'_> {
    fn distance(&self, other: &Self) -> f32 {
        1.0 - self.0.dot(other.0)
    }
}

impl Serialize for Place<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

/// The library's graph as it serialises itself, to get at its links.
#[derive(Deserialize)]
struct Layers {
    #[expect(dead_code, reason = "the library's, before what is needed")]
    ef_search: usize,
    #[expect(dead_code, reason = "the library's, before what is needed")]
    points: Vec<()>,
    lowest: Vec<([u32; LINKS / 2], [u32; LINKS / 2])>,
    above: Vec<Vec<[u32; LINKS_ABOVE]>>,
}
