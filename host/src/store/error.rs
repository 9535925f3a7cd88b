//! What can go wrong with the store, and whose fault it is.

use super::{KEY_LIMIT, VALUE_LIMIT};
use std::path::PathBuf;

/// A failed operation on the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The disk or the file under the store failed.
    #[error("the key-value store failed: {0}")]
    Database(Box<redb::Error>),
    /// The caller's key is empty or too long.
    #[error("key of {length} bytes; a key has 1 to {KEY_LIMIT}")]
    KeyLength {
        /// Its length in bytes.
        length: usize,
    },
    /// Another process has the file open.
    #[error("{}: already open in another process; stop it, or use another state folder", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The caller's value cannot be incremented.
    #[error("the value of {key:?} is not a number of eight bytes")]
    NotANumber {
        /// The key.
        key: String,
    },
    /// The file cannot be opened or created.
    #[error("{}: cannot be opened: {reason}; check that the folder is writable and the file is one of ours", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the database said.
        reason: Box<redb::DatabaseError>,
    },
    /// The runtime is shutting down.
    #[error("the host is shutting down")]
    Stopped,
    /// The caller's value is too large.
    #[error("value of {length} bytes; a value has at most {VALUE_LIMIT}")]
    ValueLength {
        /// Its length in bytes.
        length: usize,
    },
}

impl<E: Into<redb::Error>> From<E> for StoreError {
    fn from(error: E) -> Self {
        Self::Database(Box::new(error.into()))
    }
}
