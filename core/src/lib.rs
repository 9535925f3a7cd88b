//! The core of Dossier: question answering over one person's documents.
//!
//! Pure: no I/O, clock, environment, threads or async runtime. Whatever comes from outside comes
//! through [`ports`], as an argument. Read in this order: [`ports`], [`text`], [`index`],
//! [`model`], [`retrieval`], [`session`], [`chat`], [`wire`].

pub mod ports;

pub mod text;

pub mod index;

pub mod model;

pub mod retrieval;

pub mod session;

pub mod auth;

pub mod chat;

pub mod wire;

mod error;

#[cfg(any(feature = "fakes", test))]
pub mod fakes;

pub use self::error::RequestError;
