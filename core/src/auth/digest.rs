//! Hashes under which visitors and their conversations are kept, so that neither is in the store.

use sha2::{Digest as _, Sha256};

/// SHA-256 of `parts`, each with its length before it, so that no two lists give the same bytes.
pub(crate) fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// The first 64 bits of [`digest`]: enough to keep some thousand apart, and little to store.
pub(crate) fn digest64(parts: &[&[u8]]) -> u64 {
    digest(parts).iter().take(8).fold(0, |bits, byte| (bits << 8) | u64::from(*byte))
}
