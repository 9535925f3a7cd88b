//! The HNSW graph (Malkov and Yashunin 2016): built by instant-distance, walked where it lies.
//!
//! The library's own search wants to own what it walks, which would copy every vector at the first
//! question, and it trusts its links. Here the section `graph` is numbers (`u32`, little-endian):
//! how many layers there are, then each, the lowest first:
//!
//! ```text
//! number of its chunks, number of its links
//! its chunks, by ordinal
//! for each chunk, where its links end
//! links: ordinals of near chunks
//! ```

use std::{cmp::Reverse, collections::BinaryHeap};

use instant_distance::{Builder, Heuristic, Point};
use serde::{Deserialize, Serialize, Serializer};
use tantivy::directory::OwnedBytes;

use super::{
    dense::Near,
    vectors::{Query, Row, Vectors},
};
use crate::pack::PackError;

/// Neighbours looked at for each chunk while building; with more of them the graph finds no more
/// (`docs/scale.md`).
const EF_CONSTRUCTION: usize = 200;
/// Links go into different directions. Without the library's default of filling up with what was
/// passed over, a graph is built ten times and walked a third quicker, and finds as much.
const LINKS: Heuristic = Heuristic { extend_candidates: false, keep_pruned: false };
/// Fixed, so that a graph depends on nothing but its vectors.
const SEED: u64 = 0x0d05_51e5;

/// The links between near chunks.
#[derive(Clone)]
pub(super) struct Graph {
    bytes: OwnedBytes,
    /// Lowest first; that one has every chunk.
    layers: Vec<Layer>,
}

impl Graph {
    /// Links every chunk to near ones, always in the same way.
    pub(super) fn write(vectors: &Vectors) -> Result<Vec<u8>, PackError> {
        let damaged = |error: &dyn std::fmt::Display| PackError::damaged("graph", error);
        let places: Vec<Place<'_>> = vectors.iter().map(Place).collect();
        let builder = Builder::default()
            .seed(SEED)
            .ef_construction(EF_CONSTRUCTION)
            .select_heuristic(Some(LINKS));
        // The library inserts from several threads at once, in no fixed order.
        let (graph, places) = match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
            Ok(pool) => pool.install(|| builder.build_hnsw(places)),
            // Components have no threads, and there the library has none to use.
            Err(_) => builder.build_hnsw(places),
        };
        let graph = postcard::to_stdvec(&graph).map_err(|error| damaged(&error))?;
        let Shape { lowest, above, .. } =
            postcard::from_bytes(&graph).map_err(|error| damaged(&error))?;

        // From places in the library's order to ordinals of chunks.
        let mut ordinals = vec![0; places.len()];
        for (ordinal, place) in places.iter().enumerate() {
            ordinals[place.into_inner() as usize] = ordinal as u32;
        }
        let mut numbers = vec![1 + above.len() as u32];
        let lowest = lowest.iter().map(|(first, second)| [&first[..], &second[..]].concat());
        write_layer(lowest, &ordinals, &mut numbers);
        for layer in above {
            write_layer(layer.iter().map(|links| links.to_vec()), &ordinals, &mut numbers);
        }
        Ok(numbers.into_iter().flat_map(u32::to_le_bytes).collect())
    }

    /// Opens a graph. Links are looked at when they are followed; those that lead nowhere are not.
    pub(super) fn open(bytes: OwnedBytes) -> Result<Self, PackError> {
        let mut rest = bytes.clone();
        let mut take = |count: usize| {
            let length = count.checked_mul(4).filter(|length| *length <= rest.len());
            let length = length.ok_or_else(|| PackError::damaged("graph", "is cut short"))?;
            let taken = rest.slice(0..length);
            rest.advance(length);
            Ok(taken)
        };
        let mut layers = Vec::new();
        for _ in 0..number(&take(1)?, 0).unwrap_or(0) {
            let sizes = take(2)?;
            let [chunks, links] = [0, 1].map(|at| number(&sizes, at).unwrap_or(0) as usize);
            layers.push(Layer { chunks: take(chunks)?, ends: take(chunks)?, links: take(links)? });
        }
        Ok(Self { bytes, layers })
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
        let Some((lowest, above)) = self.layers.split_first() else { return Vec::new() };
        let highest = above.last().unwrap_or(lowest);
        let Some(mut entry) = number(&highest.chunks, 0).and_then(near) else {
            return Vec::new();
        };
        for layer in above.iter().rev() {
            // Every step comes nearer, so this ends.
            while let Some(next) =
                layer.links(entry.ordinal).filter_map(near).max().filter(|next| *next > entry)
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
            for neighbour in lowest.links(next.ordinal) {
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

#[derive(Clone)]
struct Layer {
    chunks: OwnedBytes,
    ends: OwnedBytes,
    links: OwnedBytes,
}

impl Layer {
    /// The chunks that this one is linked to.
    fn links(&self, ordinal: usize) -> impl Iterator<Item = u32> {
        let (chunks, _) = self.chunks.as_chunks();
        let place = chunks.binary_search_by_key(&ordinal, |it| u32::from_le_bytes(*it) as usize);
        let list = place.ok().and_then(|place| {
            let end = |place| number(&self.ends, place).map(|end| end as usize);
            let start = place.checked_sub(1).map_or(Some(0), end)?;
            self.links.as_chunks().0.get(start..end(place)?)
        });
        list.unwrap_or_default().iter().map(|bytes| u32::from_le_bytes(*bytes))
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.as_chunks().0.get(at).map(|bytes| u32::from_le_bytes(*bytes))
}

/// Appends a layer: the links of each of its places, where the library's order is `ordinals`.
fn write_layer(links: impl Iterator<Item = Vec<u32>>, ordinals: &[u32], numbers: &mut Vec<u32>) {
    let mut lists: Vec<(u32, Vec<u32>)> = ordinals
        .iter()
        .zip(links)
        .map(|(ordinal, links)| {
            // The library ends a list with a place that there is not.
            let places = links.iter().map_while(|place| ordinals.get(*place as usize));
            (*ordinal, places.copied().collect())
        })
        .collect();
    lists.sort_unstable();
    let ends = lists.iter().scan(0, |end, (_, links)| {
        *end += links.len() as u32;
        Some(*end)
    });
    let ends: Vec<u32> = ends.collect();
    numbers.extend([lists.len() as u32, ends.last().copied().unwrap_or(0)]);
    numbers.extend(lists.iter().map(|(ordinal, _)| ordinal));
    numbers.extend(ends);
    numbers.extend(lists.iter().flat_map(|(_, links)| links));
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

/// The library's graph as it serialises itself, to get at its links: 64 for each place in the lowest
/// layer, 32 in those above.
#[derive(Deserialize)]
struct Shape {
    #[expect(dead_code, reason = "the library's, before what is needed")]
    ef_search: usize,
    #[expect(dead_code, reason = "the library's, before what is needed")]
    places: Vec<()>,
    lowest: Vec<([u32; 32], [u32; 32])>,
    above: Vec<Vec<[u32; 32]>>,
}
