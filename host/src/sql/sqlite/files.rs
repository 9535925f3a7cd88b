//! The files behind the databases: one a label, below one folder, opened when first used.

use crate::limits::SqlLimits;
use sqlx::ConnectOptions;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;

/// SQLite's usual page, in which the size of a file is counted.
const PAGE_BYTES: u64 = 4096;

/// How long an unused connection stays open: a thread each is worth keeping for a burst, no longer.
const IDLE: Duration = Duration::from_secs(60);

/// The databases of a host. Clones share them.
#[derive(Clone)]
pub(crate) struct Files {
    inner: Arc<Inner>,
}

struct Inner {
    folder: PathBuf,
    limits: SqlLimits,
    pools: Mutex<BTreeMap<String, Arc<OnceCell<SqlitePool>>>>,
}

impl Files {
    /// Databases below `folder`, which is created with the first of them.
    pub(crate) fn new(folder: &Path, limits: &SqlLimits) -> Self {
        let inner =
            Inner { folder: folder.to_owned(), limits: limits.clone(), pools: Mutex::default() };
        Self { inner: Arc::new(inner) }
    }

    pub(super) fn limits(&self) -> &SqlLimits {
        &self.inner.limits
    }

    /// The connections to the database `label`, a name that the manifest was checked to have.
    ///
    /// The first connection is made alone: of several that turn a new file to its journal at once,
    /// SQLite refuses some without waiting.
    pub(super) async fn pool(&self, label: &str) -> sqlx::Result<SqlitePool> {
        let pools = &self.inner.pools;
        let pool = {
            let mut pools = pools.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(pools.entry(label.to_owned()).or_default())
        };
        pool.get_or_try_init(|| self.open(label)).await.cloned()
    }

    async fn open(&self, label: &str) -> sqlx::Result<SqlitePool> {
        let Inner { folder, limits, .. } = &*self.inner;
        std::fs::create_dir_all(folder)?;
        let file = SqliteConnectOptions::new()
            .filename(folder.join(format!("{label}.db")))
            .create_if_missing(true)
            // Readers do not wait for a writer, and an answered write is on the disk.
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(limits.wait)
            // A kept statement would go on with the columns of a table that another connection has
            // altered since.
            .statement_cache_capacity(0)
            .pragma("max_page_count", (limits.sqlite_file / PAGE_BYTES).to_string())
            .thread_name(|number| format!("sqlite-{number}"))
            // Statements may hold what visitors wrote.
            .disable_statement_logging();
        SqlitePoolOptions::new()
            .max_connections(limits.connections)
            .acquire_timeout(limits.wait)
            .idle_timeout(IDLE)
            .test_before_acquire(false)
            .connect_with(file)
            .await
    }

    /// Closes every file, so that none is left with a journal beside it.
    pub(crate) async fn close(&self) {
        let pools =
            std::mem::take(&mut *self.inner.pools.lock().unwrap_or_else(PoisonError::into_inner));
        for pool in pools.into_values() {
            if let Some(pool) = pool.get() {
                pool.close().await;
            }
        }
    }
}
