//! The chat pipeline: one file a step, and [`turn`] that strings them together.

mod follow_up;
mod question;
mod rerank;
pub mod turn;

pub use self::{
    follow_up::condense,
    question::{MAX_CHARS, MAX_WORDS, MIN_CHARS, Question},
    turn::{Turn, answer, search},
};
