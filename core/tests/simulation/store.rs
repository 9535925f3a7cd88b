//! A store whose calls take a turn each, so that others come between, and which fails by the
//! schedule's seed.

use std::{cell::Cell, rc::Rc};

use dossier_core::{
    fakes::MemoryKv,
    ports::{Kv, KvError},
};

use crate::{chance::Chance, executor::pause};

/// The store of a schedule; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct FaultyKv {
    inner: MemoryKv,
    chance: Chance,
    /// Calls that fail, of 1 000.
    faults: u64,
    writes: Rc<Cell<usize>>,
}

impl FaultyKv {
    /// A store of which `faults` calls of 1 000 fail.
    pub(crate) fn new(chance: Chance, faults: u64) -> Self {
        Self { inner: MemoryKv::default(), chance, faults, writes: Rc::default() }
    }

    /// The store without turns and faults, for those who look at it afterwards.
    pub(crate) fn inner(&self) -> &MemoryKv {
        &self.inner
    }

    /// The same store for one question, which counts its writes apart.
    pub(crate) fn counted(&self) -> Self {
        Self { writes: Rc::default(), ..self.clone() }
    }

    /// Writes that took place through this handle.
    pub(crate) fn writes(&self) -> usize {
        self.writes.get()
    }

    async fn turn(&self) -> Result<(), KvError> {
        pause().await;
        if self.chance.hits(self.faults) {
            return Err(KvError::Unavailable { reason: "by the schedule".to_owned() });
        }
        Ok(())
    }

    fn wrote(&self) {
        self.writes.set(self.writes.get() + 1);
    }
}

impl Kv for FaultyKv {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        self.turn().await?;
        self.inner.get(key).await
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), KvError> {
        self.turn().await?;
        self.wrote();
        self.inner.set(key, value).await
    }

    async fn delete(&self, key: &str) -> Result<(), KvError> {
        self.turn().await?;
        self.wrote();
        self.inner.delete(key).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, KvError> {
        self.turn().await?;
        self.inner.list(prefix).await
    }

    async fn swap(&self, key: &str, expected: Option<&[u8]>, new: &[u8]) -> Result<bool, KvError> {
        self.turn().await?;
        let swapped = self.inner.swap(key, expected, new).await?;
        if swapped {
            self.wrote();
        }
        // The write may have taken place and its confirmation be lost.
        self.turn().await?;
        Ok(swapped)
    }
}
