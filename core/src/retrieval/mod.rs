//! Retrieval: a question to the passages that answer it, each with the reasons for its place.

mod evidence;
mod filter;
mod fuse;
mod hit;
mod search;

pub use self::{
    evidence::{Evidence, THRESHOLD},
    filter::Filter,
    fuse::{LEXICAL_WEIGHT, fuse},
    hit::{Explanation, Hit, Leg},
    search::{MAX_TOP_K, Mode, Query, Retrieval, Retriever, TOP_K},
};
