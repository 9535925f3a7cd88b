//! What the tests and benchmarks share: the application on a real host, and the built artefacts.

mod artefacts;
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
