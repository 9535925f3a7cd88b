//! Caches: answers in two levels, and questions under way that others wait for.
//!
//! Nothing here belongs to a visitor: keys are made of the question and of what else decides the
//! answer, and a record never holds a session's id.

mod answers;
mod flights;
mod key;

pub use self::{
    answers::{AnswerCache, Level},
    flights::{Boarding, Flights},
    key::{AnswerKey, normalise},
};
