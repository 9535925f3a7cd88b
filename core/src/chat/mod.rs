//! The chat pipeline, a file a step: a question is [`prepared`](Service::prepare), the answer is
//! [`spoken`](Service::speak), and what remains is counted when the request is
//! [`closed`](Service::close).

mod question;
mod parameters;

mod settings;
mod instance;
mod service;

mod prepare;
mod draft;
mod rerank;
mod present;
mod answer;

mod sink;
mod speak;
mod record;

mod search;
pub mod completions;

#[cfg(test)]
mod tests;

pub use self::{
    instance::Instance,
    parameters::with_parameters,
    prepare::Prepared,
    question::{
        EFFORTS, MAX_CHARS, MAX_NAME, MAX_TEMPERATURE, MAX_TOKENS, MAX_WORDS, MIN_CHARS, Question,
    },
    service::{Asked, Conversation, Service},
    settings::Settings,
    sink::{Silent, Sink},
    speak::Spoken,
};
