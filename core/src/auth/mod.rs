//! Who may ask: API keys.

mod api_key;

pub use self::api_key::{API_KEYS, admit, knows, parse};
