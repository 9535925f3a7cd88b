//! The chat pipeline: one file a step, and [`turn`] that strings them together.

mod extract;
mod follow_up;
mod parameters;
mod question;
mod rerank;
mod stream;
pub mod turn;

pub use self::{
    extract::{Extract, extract},
    follow_up::condense,
    parameters::with_parameters,
    question::{MAX_CHARS, MAX_WORDS, MIN_CHARS, Question},
    stream::{Event, events},
    turn::{Turn, answer, search},
};
