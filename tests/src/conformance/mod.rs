//! The conformance suite: what the service promises over HTTP, as cases that any runtime can be held
//! to.
//!
//! A folder of `tests/conformance` is an area, a file in it a case: see its README.md. Beside what a
//! case says, every response must carry the headers of the house and be as `docs/openapi.json` has
//! it.

mod case;
mod contract;
mod exchange;
mod pattern;
mod run;
mod schema;
mod stream;

pub use self::run::{Report, areas, run};
