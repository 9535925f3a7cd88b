//! Spin's key-value store as the key-value port.
//!
//! Plain reads and writes go through `spin:key-value`, which lets other requests of the instance
//! run meanwhile; the swap needs `wasi:keyvalue`, the only one that has it.

use dossier_core::ports::{Kv, KvError, check_key};
use spin_sdk::{
    experimental::wasi::keyvalue::{
        atomics::{self, Cas, CasError},
        store as wasi,
    },
    key_value::{Error, Store},
};

/// Label of the store in `spin.toml`.
const LABEL: &str = "default";

/// The application's default store.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpinKv;

async fn open() -> Result<Store, KvError> {
    Store::open(LABEL).await.map_err(unavailable)
}

fn unavailable(error: Error) -> KvError {
    KvError::Unavailable { reason: error.to_string() }
}

fn wasi_unavailable(error: wasi::Error) -> KvError {
    KvError::Unavailable { reason: error.to_string() }
}

impl Kv for SpinKv {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        check_key(key, None)?;
        open().await?.get(key).await.map_err(unavailable)
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), KvError> {
        check_key(key, Some(value))?;
        open().await?.set(key, value).await.map_err(unavailable)
    }

    async fn delete(&self, key: &str) -> Result<(), KvError> {
        check_key(key, None)?;
        open().await?.delete(key).await.map_err(unavailable)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, KvError> {
        let keys = open().await?.get_keys().await.collect().await.map_err(unavailable)?;
        let mut keys: Vec<String> =
            keys.into_iter().filter(|key| key.starts_with(prefix)).collect();
        keys.sort();
        Ok(keys)
    }

    async fn swap(&self, key: &str, expected: Option<&[u8]>, new: &[u8]) -> Result<bool, KvError> {
        check_key(key, Some(new))?;
        let bucket = wasi::open(LABEL).map_err(wasi_unavailable)?;
        let cas = Cas::new(&bucket, key).map_err(wasi_unavailable)?;
        if cas.current().map_err(wasi_unavailable)?.as_deref() != expected {
            return Ok(false);
        }
        match atomics::swap(cas, new) {
            Ok(()) => Ok(true),
            Err(CasError::CasFailed(_)) => Ok(false),
            Err(CasError::StoreError(error)) => Err(wasi_unavailable(error)),
        }
    }
}
