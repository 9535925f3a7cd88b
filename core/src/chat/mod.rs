//! The chat pipeline, a file a step: a question is [`prepared`](Service::prepare), the answer is
//! [`spoken`](Service::speak), and what remains is counted when the request is
//! [`closed`](Instance::close).

mod parameters;
mod question;

mod instance;
mod service;
mod settings;

mod answer;
mod condense;
mod draft;
mod inspect;
mod prepare;
mod present;
mod rerank;

mod gate;
mod record;
mod sink;
mod speak;

pub mod completions;
mod search;

mod rehearsal;

#[cfg(test)]
mod tests;

pub use self::{
    instance::Instance,
    parameters::with_parameters,
    prepare::Prepared,
    question::{
        EFFORTS, MAX_CHARS, MAX_NAME, MAX_TEMPERATURE, MAX_TOKENS, MAX_WORDS, MIN_CHARS, Question,
    },
    rehearsal::rehearse,
    service::{Asked, Conversation, Service},
    settings::Settings,
    sink::{Silent, Sink},
    speak::Spoken,
};
