//! The key-value store behind every guest interface: one redb file, one table per label.
//!
//! Every call blocks for microseconds and is safe from any thread. Which component may open which
//! label is decided elsewhere; `flush` holds the thread that makes writes durable.

mod error;
mod flush;

pub use error::StoreError;

use flush::Flusher;
use redb::backends::InMemoryBackend;
use redb::{
    Database, DatabaseError, Durability, ReadableDatabase, ReadableTable, Table, TableDefinition,
    TableError,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The file inside the state folder.
pub const FILE: &str = "kv.redb";

/// The longest key in bytes: what Spin's hosted stores accept.
pub const KEY_LIMIT: usize = 255;

/// The largest value in bytes (1 MiB): what Spin's hosted stores accept.
pub const VALUE_LIMIT: usize = 1024 * 1024;

/// Memory for cached pages in bytes. redb's own default of 1 GiB would compete with the guests.
const CACHE: usize = 64 * 1024 * 1024;

/// A durable key-value store. Clones share it; dropping the last one writes everything out.
///
/// A write is visible to every reader as soon as the call returns, and is on disk within
/// 100 ms (`flush::FLUSH_INTERVAL`). A crash loses at most the writes of that
/// span, always the newest ones, and never corrupts the file: redb returns to its last durable
/// commit. Sessions, rate limits and caches can bear that; an fsync for each write could not be
/// borne, since one request writes three times. Call [`KvStore::flush`] to wait for the disk.
#[derive(Clone)]
pub struct KvStore {
    inner: Arc<Inner>,
}

struct Inner {
    database: Arc<Database>,
    path: PathBuf,
    flusher: Flusher,
}

impl KvStore {
    /// Opens or creates `kv.redb` in `folder`, which is created if it is missing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`] while another process has it open; [`StoreError::Open`] otherwise.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = folder.as_ref().join(FILE);
        let opened = std::fs::create_dir_all(&folder)
            .map_err(|reason| DatabaseError::Storage(reason.into()))
            .and_then(|()| Database::builder().set_cache_size(CACHE).create(&path));
        let database = match opened {
            Ok(database) => Arc::new(database),
            Err(DatabaseError::DatabaseAlreadyOpen) => return Err(StoreError::Locked { path }),
            Err(reason) => {
                return Err(StoreError::Open { path, reason: Box::new(reason) });
            }
        };
        Self::over(database, path)
    }

    /// A store that is gone with its last clone.
    pub(crate) fn in_memory() -> Result<Self, StoreError> {
        let path = PathBuf::new();
        match Database::builder().create_with_backend(InMemoryBackend::new()) {
            Ok(database) => Self::over(Arc::new(database), path),
            Err(reason) => Err(StoreError::Open { path, reason: Box::new(reason) }),
        }
    }

    fn over(database: Arc<Database>, path: PathBuf) -> Result<Self, StoreError> {
        let flusher = Flusher::start(Arc::clone(&database)).map_err(|reason| StoreError::Open {
            path: path.clone(),
            reason: Box::new(DatabaseError::Storage(reason.into())),
        })?;
        let inner = Inner { database, path, flusher };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// The value of a key, `None` if there is none.
    ///
    /// # Errors
    ///
    /// A key over [`KEY_LIMIT`], or a failing disk.
    pub fn get(&self, label: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        check_key(key)?;
        self.read(label, None, |table| Ok(table.get(key)?.map(|value| value.value().to_vec())))
    }

    /// Whether a key has a value.
    ///
    /// # Errors
    ///
    /// As [`KvStore::get`].
    pub fn exists(&self, label: &str, key: &str) -> Result<bool, StoreError> {
        check_key(key)?;
        self.read(label, false, |table| Ok(table.get(key)?.is_some()))
    }

    /// Sets a key, whatever it held.
    ///
    /// # Errors
    ///
    /// A key over [`KEY_LIMIT`], a value over [`VALUE_LIMIT`], or a failing disk.
    pub fn set(&self, label: &str, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.set_many(label, &[(key, value)])
    }

    /// Sets several keys in one transaction: all or none.
    ///
    /// # Errors
    ///
    /// As [`KvStore::set`], for any of them.
    pub fn set_many<K: AsRef<str>, V: AsRef<[u8]>>(
        &self,
        label: &str,
        pairs: &[(K, V)],
    ) -> Result<(), StoreError> {
        for (key, value) in pairs {
            check_key(key.as_ref())?;
            check_value(value.as_ref())?;
        }
        self.write(label, |table| {
            for (key, value) in pairs {
                table.insert(key.as_ref(), value.as_ref())?;
            }
            Ok(())
        })
    }

    /// Removes a key; a missing key is no error.
    ///
    /// # Errors
    ///
    /// As [`KvStore::get`].
    pub fn delete(&self, label: &str, key: &str) -> Result<(), StoreError> {
        self.delete_many(label, &[key])
    }

    /// Removes several keys in one transaction.
    ///
    /// # Errors
    ///
    /// As [`KvStore::get`].
    pub fn delete_many<K: AsRef<str>>(&self, label: &str, keys: &[K]) -> Result<(), StoreError> {
        for key in keys {
            check_key(key.as_ref())?;
        }
        self.write(label, |table| {
            for key in keys {
                table.remove(key.as_ref())?;
            }
            Ok(())
        })
    }

    /// All keys that start with `prefix`, sorted. An empty prefix lists everything.
    ///
    /// # Errors
    ///
    /// A failing disk.
    pub fn list(&self, label: &str, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.read(label, Vec::new(), |table| {
            let mut keys = Vec::new();
            for entry in table.range(prefix..)? {
                let (key, _) = entry?;
                if !key.value().starts_with(prefix) {
                    break;
                }
                keys.push(key.value().to_owned());
            }
            Ok(keys)
        })
    }

    /// At most `limit` keys, sorted, strictly after `after`.
    ///
    /// # Errors
    ///
    /// A failing disk.
    pub fn page(
        &self,
        label: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        self.read(label, Vec::new(), |table| {
            let mut keys = Vec::new();
            for entry in table.range(after.unwrap_or_default()..)? {
                let (key, _) = entry?;
                if Some(key.value()) == after {
                    continue;
                }
                if keys.len() == limit {
                    break;
                }
                keys.push(key.value().to_owned());
            }
            Ok(keys)
        })
    }

    /// Replaces `expected` by `new` if the key still holds it; `None` stands for no value.
    ///
    /// Returns whether it did. Values are compared, not versions: a key that went from A to B and
    /// back to A passes.
    ///
    /// # Errors
    ///
    /// As [`KvStore::set`].
    pub fn swap(
        &self,
        label: &str,
        key: &str,
        expected: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> Result<bool, StoreError> {
        let swapped = self.compare_and_swap(label, key, expected, new)?;
        Ok(matches!(swapped, Swapped::Done))
    }

    /// As [`KvStore::swap`], but a failure carries the value found instead.
    pub(crate) fn compare_and_swap(
        &self,
        label: &str,
        key: &str,
        expected: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> Result<Swapped, StoreError> {
        check_key(key)?;
        check_value(new.unwrap_or_default())?;
        self.write(label, |table| {
            let current = table.get(key)?.map(|value| value.value().to_vec());
            if current.as_deref() != expected {
                return Ok(Swapped::Stale(current));
            }
            match new {
                Some(value) => table.insert(key, value)?,
                None => table.remove(key)?,
            };
            Ok(Swapped::Done)
        })
    }

    /// Adds `delta` to the number under a key, 0 if there is none, and returns the sum.
    ///
    /// A number is eight bytes, little-endian, signed, as Spin stores it; sums wrap.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotANumber`] if the value has another length, else as [`KvStore::set`].
    pub fn increment(&self, label: &str, key: &str, delta: i64) -> Result<i64, StoreError> {
        check_key(key)?;
        self.write(label, |table| {
            let current = match table.get(key)? {
                None => 0,
                Some(value) => match value.value().try_into() {
                    Ok(bytes) => i64::from_le_bytes(bytes),
                    Err(_) => {
                        return Err(StoreError::NotANumber { key: key.to_owned() });
                    }
                },
            };
            let sum = current.wrapping_add(delta);
            table.insert(key, sum.to_le_bytes().as_slice())?;
            Ok(sum)
        })
    }

    /// Waits until every write so far is on disk.
    ///
    /// # Errors
    ///
    /// A failing disk.
    pub fn flush(&self) -> Result<(), StoreError> {
        flush::commit_durably(&self.inner.database)
    }

    fn read<T>(
        &self,
        label: &str,
        absent: T,
        look: impl FnOnce(&redb::ReadOnlyTable<&'static str, &'static [u8]>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let transaction = self.inner.database.begin_read()?;
        match transaction.open_table(definition(label)) {
            Ok(table) => look(&table),
            Err(TableError::TableDoesNotExist(_)) => Ok(absent),
            Err(error) => Err(error.into()),
        }
    }

    fn write<T>(
        &self,
        label: &str,
        change: impl FnOnce(&mut Table<'_, &'static str, &'static [u8]>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut transaction = self.inner.database.begin_write()?;
        transaction.set_durability(Durability::None).map_err(redb::Error::from)?;
        // An error drops the transaction and with it every change.
        let outcome = change(&mut transaction.open_table(definition(label))?)?;
        transaction.commit()?;
        self.inner.flusher.mark_dirty();
        Ok(outcome)
    }
}

impl std::fmt::Debug for KvStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KvStore").field("path", &self.inner.path).finish_non_exhaustive()
    }
}

/// The outcome of a compare-and-swap.
pub(crate) enum Swapped {
    Done,
    /// Nothing changed; the key holds this.
    Stale(Option<Vec<u8>>),
}

fn definition(label: &str) -> TableDefinition<'_, &'static str, &'static [u8]> {
    TableDefinition::new(label)
}

fn check_key(key: &str) -> Result<(), StoreError> {
    match key.len() {
        1..=KEY_LIMIT => Ok(()),
        length => Err(StoreError::KeyLength { length }),
    }
}

fn check_value(value: &[u8]) -> Result<(), StoreError> {
    match value.len() {
        0..=VALUE_LIMIT => Ok(()),
        length => Err(StoreError::ValueLength { length }),
    }
}

#[cfg(test)]
mod tests;
