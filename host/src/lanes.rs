//! Keeps one computing guest from holding up everybody else's requests.
//!
//! `ProxyHandler` gives a waiting request to any instance that last said it had room, and an
//! instance that has begun to compute cannot take that back until it is done. So a component has
//! several handlers, its lanes: a lane with an instance that computes without pause gets no new
//! requests, and another one takes them. With guests that wait more than they compute there is
//! one lane.

use crate::instance::{Blueprint, Function};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{Semaphore, SemaphorePermit};
use wasmtime_wasi_http::handler::ProxyHandler;

/// The most lanes of a component. More guests than this computing at once is overload, which no
/// further lane would cure.
const LANES: usize = 32;

/// Interruptions in a row after which an instance counts as computing: 10 to 20 ms.
const MISSES: u32 = 2;

/// The lanes of one component.
pub(crate) struct Lanes {
    blueprint: Arc<Blueprint>,
    beginnings: Semaphore,
    lanes: RwLock<Vec<Lane>>,
}

struct Lane {
    handler: ProxyHandler<Function>,
    computing: Arc<AtomicUsize>,
}

impl Lanes {
    pub(crate) fn new(blueprint: Blueprint) -> Self {
        let beginnings = Semaphore::new(blueprint.limits.beginning_requests);
        Self { blueprint: Arc::new(blueprint), beginnings, lanes: RwLock::default() }
    }

    /// The component.
    pub(crate) fn id(&self) -> &str {
        &self.blueprint.spec.id
    }

    /// Waits until another request may begin; it does as long as the permit is held.
    pub(crate) async fn begin(&self) -> Option<SemaphorePermit<'_>> {
        self.beginnings.acquire().await.ok()
    }

    /// A lane that is free, or the freest there is.
    pub(crate) fn pick(&self) -> ProxyHandler<Function> {
        let lanes = self.lanes.read().unwrap_or_else(PoisonError::into_inner);
        let load = |lane: &&Lane| lane.computing.load(Ordering::Relaxed);
        let found = lanes
            .iter()
            .find(|lane| load(lane) == 0)
            .or_else(|| lanes.iter().min_by_key(load).filter(|_| lanes.len() >= LANES))
            .map(|lane| lane.handler.clone());
        drop(lanes);
        found.unwrap_or_else(|| self.open())
    }

    fn open(&self) -> ProxyHandler<Function> {
        let computing = Arc::new(AtomicUsize::new(0));
        let handler = ProxyHandler::new(Function {
            blueprint: Arc::clone(&self.blueprint),
            computing: Arc::clone(&computing),
        });
        let lane = Lane { handler: handler.clone(), computing };
        let mut lanes = self.lanes.write().unwrap_or_else(PoisonError::into_inner);
        // Two requests may open one each at the same time; a lane too many does no harm.
        lanes.push(lane);
        handler
    }
}

/// Tells whether one instance computes without pause, and counts it in its lane while it does.
pub(crate) struct Pulse {
    computing: Arc<AtomicUsize>,
    misses: AtomicU32,
    counted: AtomicBool,
}

impl Pulse {
    pub(crate) fn new(computing: Arc<AtomicUsize>) -> Self {
        Self { computing, misses: AtomicU32::new(0), counted: AtomicBool::new(false) }
    }

    /// The instance had a moment to look at its queue.
    pub(crate) fn beat(&self) {
        self.misses.store(0, Ordering::Relaxed);
        if self.counted.swap(false, Ordering::Relaxed) {
            self.computing.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// The instance was interrupted; if it looks at its queue, a beat follows.
    pub(crate) fn miss(&self) {
        let misses = self.misses.fetch_add(1, Ordering::Relaxed) + 1;
        if misses >= MISSES && !self.counted.swap(true, Ordering::Relaxed) {
            self.computing.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.beat();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_is_counted_while_it_computes() {
        let computing = Arc::new(AtomicUsize::new(0));
        let pulse = Pulse::new(Arc::clone(&computing));
        let count = || computing.load(Ordering::Relaxed);
        pulse.miss();
        pulse.beat();
        pulse.miss();
        assert_eq!(count(), 0);
        pulse.miss();
        pulse.miss();
        assert_eq!(count(), 1);
        pulse.beat();
        assert_eq!(count(), 0);
        pulse.miss();
        pulse.miss();
        assert_eq!(count(), 1);
        drop(pulse);
        assert_eq!(count(), 0);
    }
}
