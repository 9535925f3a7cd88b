//! The core of Dossier: question answering over one person's documents.
//!
//! Pure: no I/O, clock, environment, threads or async runtime. Whatever comes from outside comes
//! through [`ports`], as an argument. Read in this order: [`ports`], `text`, [`pack`], `index`,
//! `model`, `retrieval`; [`session`], [`auth`], [`policy`], `understanding`, `guard`, `llm`,
//! `answer`, `cache`, and `chat`, which strings them together; [`telemetry`], [`wire`]. The feature
//! `search`, on by default, brings the modules that find and answer; a component that only reports
//! leaves it off.

pub mod ports;

#[cfg(feature = "search")]
pub mod text;

pub mod pack;

#[cfg(feature = "search")]
pub mod index;

#[cfg(feature = "search")]
pub mod model;

#[cfg(feature = "search")]
pub mod retrieval;

pub mod session;

pub mod auth;

pub mod policy;

pub mod feedback;

pub mod setting;

pub mod telemetry;

#[cfg(feature = "search")]
pub mod guard;

pub mod llm;

#[cfg(feature = "search")]
pub mod cache;

#[cfg(feature = "search")]
pub mod understanding;

#[cfg(feature = "search")]
pub mod answer;

#[cfg(feature = "search")]
pub mod chat;

#[cfg(feature = "search")]
pub mod mcp;

pub mod wire;

#[cfg(feature = "openapi")]
pub mod openapi;

mod error;

#[cfg(any(feature = "fakes", test))]
pub mod fakes;

pub use self::error::RequestError;
