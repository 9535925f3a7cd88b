//! The life of instances: when one is made, how many requests it serves, when it ends.
//!
//! The machinery of workers and queues is wasmtime's `ProxyHandler`; this page is its policy.

use crate::guest::{Guest, GuestSpec};
use crate::lanes::Pulse;
use crate::limits::Limits;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::Sleep;
use wasmtime::component::GuestTaskId;
use wasmtime::{Engine, Result, Store, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};

/// How much later than a request its instance expires. The request's own deadline is checked
/// between two turns of the guest; only a guest that never ends its turn reaches this one.
pub(crate) const GRACE: Duration = Duration::from_millis(100);

/// A component, ready to be instantiated.
pub(crate) struct Blueprint {
    // First, so that the key-value store is released before `_alive` says so; last comes the
    // engine, whose memory takes milliseconds to give back.
    pub(crate) spec: GuestSpec,
    /// Tells the host, by being dropped, that nothing made from this holds the store open.
    pub(crate) _alive: watch::Receiver<bool>,
    pub(crate) limits: Arc<Limits>,
    /// Turns true when the host closes.
    pub(crate) closing: watch::Sender<bool>,
    pub(crate) pre: ProxyPre<Guest>,
    pub(crate) engine: Engine,
}

/// A component within one lane.
pub(crate) struct Function {
    pub(crate) blueprint: Arc<Blueprint>,
    /// How many instances of the lane compute without pause.
    pub(crate) computing: Arc<AtomicUsize>,
}

impl HandlerState for Function {
    type StoreData = Guest;
    type WorkerExpiration = Expiry;
    type WorkerState = Policy;

    async fn instantiate(&self) -> Result<Instance<Guest, Expiry, Policy>> {
        let Blueprint { spec, limits, closing, pre, engine, .. } = &*self.blueprint;
        let mut store = Store::new(engine, Guest::new(spec));
        // Computing guests give way at every tick. None is trapped: whoever polls the instance
        // drops it once it has expired.
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        let instantiated = pre.instantiate_async(&mut store);
        let proxy = tokio::time::timeout(limits.request_timeout, instantiated)
            .await
            .map_err(|_| wasmtime::format_err!("instantiation took too long"))??;
        let pulse = Arc::new(Pulse::new(Arc::clone(&self.computing)));
        let dismissed = Arc::new(AtomicBool::new(false));
        Ok(Instance {
            store,
            proxy,
            view: Guest::http,
            expiration: Expiry::new(
                Arc::clone(limits),
                closing.subscribe(),
                Arc::clone(&pulse),
                Arc::clone(&dismissed),
            ),
            state: Policy {
                id: Arc::clone(&spec.id),
                limits: Arc::clone(limits),
                pulse,
                dismissed,
            },
        })
    }
}

/// Which requests an instance takes, and what happens to it in the end.
pub(crate) struct Policy {
    id: Arc<str>,
    limits: Arc<Limits>,
    pulse: Arc<Pulse>,
    /// Set by the expiry, whose end of an instance looks like a trap otherwise.
    dismissed: Arc<AtomicBool>,
}

impl WorkerState for Policy {
    type StoreData = Guest;
    /// When the request must have its response head.
    type RequestData = tokio::time::Instant;

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        // Asked at every turn of the instance's loop, and never while the guest computes.
        self.pulse.beat();
        if total >= self.limits.reuse.requests {
            ShouldAccept::Never
        } else if concurrent >= self.limits.reuse.concurrent {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _store: StoreContextMut<'_, Guest>,
        deadline: tokio::time::Instant,
        _task: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        Box::pin(tokio::time::sleep_until(deadline))
    }

    fn drop(&self, store: Store<Guest>, result: Result<()>) {
        match result {
            Ok(()) => {}
            Err(_) if self.dismissed.load(Ordering::Relaxed) => {
                tracing::warn!(component = %self.id, "instance dropped with work unfinished");
            }
            Err(error) => {
                // The alternate form holds the guest's stack, which only the operator may see.
                tracing::error!(component = %self.id, "instance trapped: {error:?}");
            }
        }
        drop(store);
    }
}

/// When an instance must go: idle, overdue, or the host is closing.
pub(crate) struct Expiry {
    limits: Arc<Limits>,
    timer: Pin<Box<Sleep>>,
    closed: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
    pulse: Arc<Pulse>,
    dismissed: Arc<AtomicBool>,
}

impl Expiry {
    fn new(
        limits: Arc<Limits>,
        mut closing: watch::Receiver<bool>,
        pulse: Arc<Pulse>,
        dismissed: Arc<AtomicBool>,
    ) -> Self {
        Self {
            timer: Box::pin(tokio::time::sleep(limits.request_timeout)),
            closed: Box::pin(async move {
                // An error means that the host is gone, which closes as well.
                let _ = closing.wait_for(|closing| *closing).await;
            }),
            limits,
            pulse,
            dismissed,
        }
    }
}

impl WorkerExpiration for Expiry {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        status: WorkerStatus,
        since: Instant,
    ) -> Poll<()> {
        // Polled from outside the loop whenever the guest gives way, by waiting or at a tick.
        self.pulse.miss();
        if self.closed.as_mut().poll(cx).is_ready() {
            // A finished future must not be polled again.
            self.closed = Box::pin(std::future::ready(()));
            self.dismissed.store(true, Ordering::Relaxed);
            return Poll::Ready(());
        }
        let allowance = match status {
            WorkerStatus::Idle => self.limits.reuse.idle,
            WorkerStatus::Requests => self.limits.request_timeout + GRACE,
            WorkerStatus::PostReturn => self.limits.stream_timeout,
        };
        let deadline = tokio::time::Instant::from_std(since + allowance);
        if self.timer.deadline() != deadline {
            self.timer.as_mut().reset(deadline);
        }
        let expired = self.timer.as_mut().poll(cx);
        if expired.is_ready() {
            self.dismissed.store(true, Ordering::Relaxed);
        }
        expired
    }
}
