//! Cross-encoder and embeddings over HTTP, at native speed.
//!
//! Read in this order: [`Config`] is what the operator decides, [`model`] gets and runs the models,
//! [`Pool`] has the threads, [`App`] joins them, [`router`] answers requests, [`serve`] has the
//! connections. Sessions, documents and everything else of the chat are elsewhere.

#![forbid(unsafe_code)]

mod config;
mod limits;

pub mod model;

mod pool;

mod app;
mod metrics;

mod fault;
mod routes;

mod server;
mod tls;

pub use self::{
    app::App,
    config::Config,
    fault::Fault,
    limits::Limits,
    metrics::Metrics,
    pool::{Pool, PoolError},
    routes::router,
    server::serve,
    tls::{Tls, TlsError, TlsFiles},
};
