//! The Model Context Protocol over streamable HTTP: other people's assistants ask our documents.
//!
//! Two kinds of clients are served at the same address. Since revision 2026-07-28 every request
//! stands alone and says its revision in `_meta`; before, `initialize` negotiated one. Neither gets
//! a session: nothing is kept between two requests, so none is needed. Whether a caller may ask at
//! all (API key, origin, limits) is decided before a message gets here.

mod message;
mod modern;
mod respond;
mod tools;

pub use self::{
    message::{Head, Reply},
    respond::{HANDSHAKE_REVISIONS, MAX_BATCH, MODERN_REVISIONS, respond},
    tools::{ASK, SEARCH, Tools},
};
