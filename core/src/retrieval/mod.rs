//! Retrieval: a question to the passages that answer it, each with the reasons for its place.

mod evidence;
mod filter;
mod fuse;
mod hit;
mod rerank;
mod search;

pub use self::{
    evidence::Evidence,
    filter::Filter,
    fuse::{LEXICAL_WEIGHT, fuse},
    hit::{Explanation, Hit, Leg},
    rerank::{Reranked, reorder},
    search::{MAX_TOP_K, Mode, Query, Retrieval, Retriever, TOP_K},
};
