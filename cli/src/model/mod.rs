//! The embedding model on disk: its manifest, its sources, its folder.

pub(crate) mod fetch;
pub(crate) mod folder;
pub(crate) mod manifest;
mod source;
