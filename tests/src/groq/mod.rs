//! A double of Groq: a real HTTP server that answers chat completions as Groq does, well or badly.
//!
//! What it answers is made of the passages in the prompt, so that the whole pipeline can be watched
//! on it. How it behaves is a [`Scenario`]: from a queue, from a script, or named in the question.

mod answer;
mod plan;
mod scenario;
mod server;

pub use self::{
    plan::{Pace, Plan, Step, plan},
    scenario::{SCENARIOS, Scenario, Script},
    server::{Groq, Options, Received},
};
