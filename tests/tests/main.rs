//! Everything that crosses a crate wall, through real parts: the built components on the real host.

mod browser;
mod cli;
mod contract;
mod hnsw;
mod model;
mod packs;
mod rankings;
mod reuse;
mod service;
