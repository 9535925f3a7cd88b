//! The thread that makes writes durable in groups.
//!
//! It sleeps until something was written, waits a moment for company, and issues one durable
//! commit for all of it. It ends, after a last commit, when the store is dropped.

use super::StoreError;
use redb::Database;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a write may wait for the disk: long enough to share an fsync (1 to 10 ms on common
/// disks) among many requests, short enough that a crash loses nothing a visitor would notice.
pub(crate) const FLUSH_INTERVAL: Duration = Duration::from_millis(100);

pub(crate) struct Flusher {
    signal: Arc<Signal>,
    thread: Option<JoinHandle<()>>,
}

impl Flusher {
    pub(crate) fn start(database: Arc<Database>) -> io::Result<Self> {
        let signal = Arc::new(Signal::default());
        let thread = std::thread::Builder::new().name("kv-flush".to_owned()).spawn({
            let signal = Arc::clone(&signal);
            move || run(&database, &signal)
        })?;
        Ok(Self { signal, thread: Some(thread) })
    }

    pub(crate) fn mark_dirty(&self) {
        let mut state = self.signal.lock();
        if !state.dirty {
            state.dirty = true;
            self.signal.changed.notify_one();
        }
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.signal.lock().stop = true;
        self.signal.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic of that thread has already been printed; there is nothing left to save.
            let _ = thread.join();
        }
    }
}

/// Makes every commit so far durable: redb persists earlier commits with the next durable one.
pub(crate) fn commit_durably(database: &Database) -> Result<(), StoreError> {
    database.begin_write()?.commit()?;
    Ok(())
}

fn run(database: &Database, signal: &Signal) {
    loop {
        let mut state = signal.lock();
        while !state.dirty && !state.stop {
            state = signal.wait(state);
        }
        if !state.stop {
            state = signal.wait_at_most(state, FLUSH_INTERVAL);
        }
        let (dirty, stop) = (state.dirty, state.stop);
        // Cleared before the commit: a write that lands during it counts for the next round.
        state.dirty = false;
        drop(state);
        if dirty && let Err(error) = commit_durably(database) {
            tracing::error!(%error, "writes are not reaching the disk");
            signal.lock().dirty = true;
        }
        if stop {
            return;
        }
    }
}

#[derive(Default)]
struct Signal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    dirty: bool,
    stop: bool,
}

// Two flags cannot be left half-written, so a poisoned lock is as good as a sound one.
impl Signal {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_at_most<'a>(
        &self,
        state: MutexGuard<'a, State>,
        limit: Duration,
    ) -> MutexGuard<'a, State> {
        self.changed
            .wait_timeout_while(state, limit, |state| !state.stop)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }
}
