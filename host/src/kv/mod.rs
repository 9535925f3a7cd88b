//! What a component may do with the store: only its own labels, through two interfaces.
//!
//! `spin` serves `spin:key-value`, `wasi` serves `wasi:keyvalue`; both share the handles here.

mod spin;
mod wasi;

use crate::store::{KvStore, StoreError};
use std::collections::BTreeSet;
use std::sync::Arc;
use wasmtime::component::{HasData, ResourceTable};

/// One component's access to the store.
#[derive(Clone, Debug)]
pub(crate) struct KvAccess {
    pub(crate) store: KvStore,
    /// `key_value_stores` of the manifest.
    pub(crate) labels: Arc<BTreeSet<String>>,
}

impl KvAccess {
    fn bucket(&self, label: String) -> Option<Bucket> {
        self.labels
            .contains(&label)
            .then(|| Bucket { store: self.store.clone(), label: label.into() })
    }
}

/// An opened store: proof that the component may use the label.
#[derive(Clone)]
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Bucket {
    store: KvStore,
    label: Arc<str>,
}

impl Bucket {
    // Reads run on the caller's thread: redb's readers take no lock that a writer holds, and pages
    // in use are cached, so a hop to another thread would cost more than the read.
    fn read<T>(
        &self,
        look: impl FnOnce(&KvStore, &str) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        look(&self.store, &self.label)
    }

    // Writers queue for one lock, and the flusher holds it during an fsync; waiting on a thread of
    // the runtime would stall every other request on that thread.
    async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&KvStore, &str) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let bucket = self.clone();
        tokio::task::spawn_blocking(move || change(&bucket.store, &bucket.label))
            .await
            .unwrap_or(Err(StoreError::Stopped))
    }
}

/// A compare-and-swap in progress: the key and what it held when the handle was made.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Cas {
    bucket: Bucket,
    key: String,
    seen: Option<Vec<u8>>,
}

/// Lends the key-value interfaces what they need from a guest's state.
pub(crate) struct Kv;

impl HasData for Kv {
    type Data<'a> = KvView<'a>;
}

/// See [`Kv`].
pub(crate) struct KvView<'a> {
    pub(crate) access: &'a KvAccess,
    pub(crate) table: &'a mut ResourceTable,
}
