//! Who may ask: API keys; who may read what was said: the owner's key.

mod admin;
mod api_key;

pub use self::{
    admin::{ADMIN_KEY, admit_admin},
    api_key::{API_KEYS, admit, knows, parse},
};
