//! The key-value port: small records under short names.

/// Longest key, in bytes (the tightest platform's limit).
pub const MAX_KEY_BYTES: usize = 255;

/// Largest value, in bytes. Platforms take 1 MB; a quarter keeps a write quick everywhere.
pub const MAX_VALUE_BYTES: usize = 256 * 1024;

/// A durable store shared by all instances.
///
/// Reads see the caller's own earlier writes; another instance's may arrive later. Only [`swap`]
/// is exact under concurrency. A store has no expiry: records carry theirs.
///
/// [`swap`]: Kv::swap
#[expect(async_fn_in_trait, reason = "guests are single-threaded, no Send bound is wanted")]
pub trait Kv {
    /// Returns the value under `key`, or `None`.
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError>;

    /// Writes `value` under `key`, replacing what was there.
    async fn set(&self, key: &str, value: &[u8]) -> Result<(), KvError>;

    /// Removes `key`; removing what is not there succeeds.
    async fn delete(&self, key: &str) -> Result<(), KvError>;

    /// Returns all keys that start with `prefix`, sorted. Expensive: never on a request's way.
    async fn list(&self, prefix: &str) -> Result<Vec<String>, KvError>;

    /// Writes `new` if the current value is `expected` (`None`: there is none), atomically.
    ///
    /// Returns whether it was written.
    async fn swap(&self, key: &str, expected: Option<&[u8]>, new: &[u8]) -> Result<bool, KvError>;
}

/// Why the store did not do as asked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KvError {
    /// The caller's key is empty, too long or has a character outside `[A-Za-z0-9:._-]`.
    #[error("bad key: {key:?}; expected 1 to 255 of A-Z a-z 0-9 : . _ -")]
    BadKey {
        /// The key.
        key: String,
    },
    /// The caller's value is larger than [`MAX_VALUE_BYTES`].
    #[error("value too large: {bytes} bytes; at most {MAX_VALUE_BYTES}")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The store cannot be reached or refused.
    #[error("store unavailable: {reason}")]
    Unavailable {
        /// What the platform said.
        reason: String,
    },
}

/// Checks a key, and a value's size where one is written; adapters call it first.
///
/// # Errors
/// [`KvError::BadKey`] or [`KvError::TooLarge`].
pub fn check_key(key: &str, value: Option<&[u8]>) -> Result<(), KvError> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b":._-".contains(&byte);
    if key.is_empty() || key.len() > MAX_KEY_BYTES || !key.bytes().all(legal) {
        return Err(KvError::BadKey { key: key.to_owned() });
    }
    match value {
        Some(value) if value.len() > MAX_VALUE_BYTES => {
            Err(KvError::TooLarge { bytes: value.len() })
        }
        _ => Ok(()),
    }
}
