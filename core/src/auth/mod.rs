//! Who may ask: API keys, sites that may embed the chat, and where a visitor comes from.

mod access;
mod address;
mod api_key;
mod digest;
mod origin;

pub(crate) use self::digest::{digest, digest64};
pub use self::{
    access::{Access, Visitor},
    address::Addresses,
    api_key::{API_KEYS, Keys, knows, parse},
    origin::Origins,
};
