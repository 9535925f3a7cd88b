//! The pack as bytes: its format, and its publication in the key-value store.
//!
//! What is inside is the business of the `index` module; this much every component can carry.

mod format;
pub mod published;

#[cfg(feature = "search")]
pub(crate) use self::format::assemble;
pub use self::format::{FORMAT_VERSION, PackError, header};
