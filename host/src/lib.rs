//! Runs a Spin application on wasmtime: the same `spin.toml`, the same `.wasm` files.
//!
//! Offers WASI 0.2 and 0.3, `wasi:http`, `wasi:keyvalue`, `spin:key-value`,
//! `spin:sqlite`, `spin:postgres` and `spin:variables`.
//! Knows nothing of what the application does. It refuses to fetch components, to mount files and
//! to open raw sockets, and it reads neither the process environment nor the command line: its
//! caller passes in what an application may learn.
//!
//! In the order to read: [`Options`] and [`Host`], then [`Manifest`], [`Routes`], [`Variables`],
//! [`KvStore`], [`Limits`].

mod app;
mod bindings;
mod config;
mod engine;
mod error;
mod guest;
mod host;
mod instance;
mod kv;
mod lanes;
mod limits;
mod outbound;
mod preinitialise;
mod problem;
mod server;
mod sql;
mod stdio;

pub mod manifest;
pub mod routes;
pub mod store;
pub mod template;
pub mod variables;

pub use error::Error;
pub use host::{Host, Options};
pub use limits::{Limits, ReuseLimits, SqlLimits};
pub use manifest::{Manifest, ManifestError, ManifestFault};
pub use outbound::{AllowedHosts, HostPatternError};
pub use preinitialise::preinitialise;
pub use routes::Routes;
pub use store::{KvStore, StoreError};
pub use variables::{VariableError, Variables};
