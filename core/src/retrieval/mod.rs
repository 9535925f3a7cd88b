//! Retrieval: a question to the passages that answer it, each with the reasons for its place.

mod evidence;
mod filter;
mod fuse;
mod hit;
mod kind;
mod late;
mod rerank;
mod search;
mod sentence;
mod spread;

pub use self::{
    evidence::{Evidence, THRESHOLD},
    filter::Filter,
    hit::{Explanation, Hit, Leg},
    kind::Kind,
    late::Wording,
    rerank::{Reranked, reorder},
    search::{MAX_TOP_K, Mode, Query, Retrieval, Retriever, TOP_K},
    sentence::{Sentence, sentences},
};
