//! The only place that knows Spin: its interfaces as the core's ports, its requests and responses.
//!
//! No decisions are made here; what a component does is in `dossier-core`.

mod config;
mod env;
mod feedback;
mod http;
mod kv;
mod meter;
mod reply;
mod request;
mod sql;

pub use self::{
    config::SpinConfig,
    env::{SpinEnv, SystemClock, SystemEntropy},
    feedback::SqlFeedback,
    http::{SpinBody, SpinHttp},
    kv::SpinKv,
    meter::meter,
    reply::{Reply, Response, json, stream},
    request::{Exchange, MAX_BODY_BYTES, PREFIX, body, is_read},
};
