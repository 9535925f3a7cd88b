//! The chat pipeline: one file a step, and [`turn`] that strings them together.

pub mod completions;
mod parameters;
mod question;
mod rerank;
pub mod turn;

pub use self::{
    parameters::with_parameters,
    question::{MAX_CHARS, MAX_WORDS, MIN_CHARS, Question},
    turn::{Turn, answer, search},
};
