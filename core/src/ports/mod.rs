//! The ports: everything the core needs from the world outside, one small trait a file.
//!
//! Implementations live in `functions/platform` (Spin), `cli` (native) and [`crate::fakes`]
//! (memory). Each passes the suite of the same name in [`crate::fakes::contract`].

mod clock;
mod config;
mod entropy;
mod env;
mod feedback;
mod http;
mod kv;

pub use self::{
    clock::Clock,
    config::{Config, ConfigError},
    entropy::Entropy,
    env::Env,
    feedback::{Entry, Feedback, FeedbackError, Proposal},
    http::{Body, Http, HttpError, HttpRequest, HttpResponse, Phase, Timeouts},
    kv::{Kv, KvError, MAX_KEY_BYTES, MAX_VALUE_BYTES, check_key},
};
