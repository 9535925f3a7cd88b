//! The host's store as the key-value port, to publish packs natively.

use dossier_core::ports::{Kv, KvError, check_key};
use dossier_host::KvStore;

/// Label of the store that components open.
const LABEL: &str = "default";

/// The application's default store, from outside of the components.
pub(crate) struct HostKv<'a>(pub(crate) &'a KvStore);

fn unavailable(error: impl std::fmt::Display) -> KvError {
    KvError::Unavailable { reason: error.to_string() }
}

impl Kv for HostKv<'_> {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        check_key(key, None)?;
        self.0.get(LABEL, key).map_err(unavailable)
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), KvError> {
        check_key(key, Some(value))?;
        self.0.set(LABEL, key, value).map_err(unavailable)
    }

    async fn delete(&self, key: &str) -> Result<(), KvError> {
        check_key(key, None)?;
        self.0.delete(LABEL, key).map_err(unavailable)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, KvError> {
        self.0.list(LABEL, prefix).map_err(unavailable)
    }

    async fn swap(&self, key: &str, expected: Option<&[u8]>, new: &[u8]) -> Result<bool, KvError> {
        check_key(key, Some(new))?;
        self.0.swap(LABEL, key, expected, Some(new)).map_err(unavailable)
    }
}

#[cfg(test)]
mod tests {
    use dossier_core::fakes::contract;

    use super::*;

    #[test]
    fn the_hosts_store_keeps_the_contract() {
        let folder = tempfile::tempdir().unwrap();
        let store = KvStore::open(folder.path()).unwrap();
        let outcome = futures::executor::block_on(contract::kv(&HostKv(&store)));
        assert_eq!(outcome, Ok(()));
    }
}
