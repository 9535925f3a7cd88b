//! What the tests and benchmarks share: the application on a real host, the built artefacts, and a
//! double of the provider.

mod artefacts;
pub mod conformance;
pub mod groq;
pub mod native;
mod postgres;
pub mod reference;
mod server;

pub use self::{
    artefacts::{
        Case, artefact, cases, component, encoder, model_folder, pack, published, python, root,
    },
    postgres::Postgres,
    server::{Reply, Server, ServerOptions, client},
};
