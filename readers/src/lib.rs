//! Files in the formats people have, as Markdown with metadata.
//!
//! Every reader is a pure function of bytes: no file, clock or environment. What it is given may be
//! damaged or made to harm: a reader ends in a text or in a [`ReadError`] that says whose fault it
//! is and what to do, and its sizes are bounded by [`limits`]. What no limit here can bound, the
//! memory and time that a library takes over a file made to harm, is the caller's to bound, by a
//! process of its own.
#![forbid(unsafe_code)]

mod csv;
mod docx;
mod error;
mod format;
mod html;
mod json_resume;
pub mod limits;
mod markdown;
mod pdf;
mod text;
mod yaml;

pub use self::{
    error::ReadError,
    format::{ENDINGS, Format, read},
    markdown::{Content, Metadata},
};
