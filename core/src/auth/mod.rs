//! Who may ask: API keys, sites that may embed the chat, and where a visitor comes from; and who may
//! read what was said: the owner's key.

mod access;
mod address;
mod admin;
mod api_key;
mod digest;
mod origin;

pub(crate) use self::digest::{digest, digest64};
pub use self::{
    access::{Access, Visitor},
    address::Addresses,
    admin::{ADMIN_KEY, admit_admin},
    api_key::{API_KEYS, HASHED, Keys, knows},
    origin::Origins,
};
