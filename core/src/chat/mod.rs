//! The chat pipeline: one file a step, and [`turn`] that strings them together.

pub mod completions;
mod parameters;
mod question;
mod rerank;
pub mod turn;

pub use self::{
    parameters::with_parameters,
    question::{
        EFFORTS, MAX_CHARS, MAX_NAME, MAX_TEMPERATURE, MAX_TOKENS, MAX_WORDS, MIN_CHARS, Question,
    },
    turn::{Turn, answer, search},
};
