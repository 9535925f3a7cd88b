//! What one instance has counted, and its way to the store.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use super::{
    Metric, Snapshot,
    store::{self, Writer},
};
use crate::ports::{Entropy, Kv, KvError};

/// Shortest time between two flushes that nobody forces: what an instance counts after its last one
/// is lost. An instance that is never idle adds one write to the several that its questions of two
/// seconds cost anyway.
pub const FLUSH_INTERVAL: Duration = Duration::from_secs(2);

/// The counters of one instance, kept from request to request.
///
/// Requests that cross in the instance share it. It holds numbers alone, nothing of a request.
#[derive(Debug)]
pub struct Meter {
    snapshot: RefCell<Snapshot>,
    writer: RefCell<Writer>,
    flushed_at: Cell<Option<Duration>>,
    is_flushing: Cell<bool>,
}

impl Meter {
    /// A meter for a new instance.
    pub fn new(entropy: &impl Entropy) -> Self {
        let mut id = [0; 8];
        entropy.fill(&mut id);
        Self {
            snapshot: RefCell::default(),
            writer: RefCell::new(Writer::new(u64::from_le_bytes(id))),
            flushed_at: Cell::new(None),
            is_flushing: Cell::new(false),
        }
    }

    /// Counts `value` for `metric`, as [`Snapshot::record`] does.
    pub fn record(&self, metric: &Metric, labels: &[&str], value: f64) {
        self.snapshot.borrow_mut().record(metric, labels, value);
    }

    /// Counts several things at once.
    pub fn update(&self, count: impl FnOnce(&mut Snapshot)) {
        count(&mut self.snapshot.borrow_mut());
    }

    /// Whether a flush is due: none yet, or the last was tried [`FLUSH_INTERVAL`] ago.
    ///
    /// An instance that may end before its next request should flush without asking.
    pub fn is_due(&self, now: Duration) -> bool {
        // A clock that was set back must not stop the flushes.
        self.flushed_at.get().is_none_or(|last| now.abs_diff(last) >= FLUSH_INTERVAL)
    }

    /// Whether the last flush was tried more than `patience` ago.
    pub fn is_overdue(&self, now: Duration, patience: Duration) -> bool {
        self.flushed_at.get().is_some_and(|last| now.abs_diff(last) >= patience)
    }

    /// Writes what has been counted since the last flush: one read and one write.
    ///
    /// Does nothing where nothing is new, or another request of the instance is at it. What could
    /// not be written goes with the next flush.
    ///
    /// # Errors
    /// The store cannot be reached, or other instances write without pause.
    pub async fn flush(&self, kv: &impl Kv, now: Duration) -> Result<(), KvError> {
        if self.is_flushing.replace(true) {
            return Ok(());
        }
        // Also where the request is dropped in the middle.
        let _reset = Reset(&self.is_flushing);
        self.flushed_at.set(Some(now));
        store::write(kv, &self.writer, &self.snapshot).await
    }
}

struct Reset<'a>(&'a Cell<bool>);

impl Drop for Reset<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        future::poll_fn,
        pin::Pin,
        rc::Rc,
        task::{Context, Poll, Waker},
    };

    use futures::executor::block_on;

    use super::*;
    use crate::{
        fakes::{MemoryKv, SeededEntropy},
        telemetry::metrics::{REWRITE_PATTERNS, SEATS, collect},
    };

    const NOW: Duration = Duration::from_secs(1_000);

    /// A meter whose instance has the seat 3, as all of these tests do.
    fn meter(instance: u64) -> Meter {
        let writer = RefCell::new(Writer::new(instance * SEATS + 3));
        Meter { writer, ..Meter::new(&SeededEntropy::new(instance)) }
    }

    fn count(meter: &Meter, instance: u64) {
        meter.record(&REWRITE_PATTERNS, &[&instance.to_string()], 1.0);
    }

    fn counted(sum: &Snapshot, instance: u64) -> u64 {
        sum.value(&REWRITE_PATTERNS, &[&instance.to_string()])
    }

    #[test]
    fn instances_that_come_go_and_wake_add_up() {
        let kv = MemoryKv::default();
        let (first, second) = (meter(1), meter(2));
        let check = |one: u64, two: u64| {
            let sum = block_on(collect(&kv)).unwrap();
            assert_eq!((counted(&sum, 1), counted(&sum, 2)), (one, two));
        };
        check(0, 0);
        for round in 1..=5 {
            let before = round - 1;
            count(&first, 1);
            check(before * 2, before);
            block_on(first.flush(&kv, NOW)).unwrap();
            count(&first, 1);
            block_on(first.flush(&kv, NOW)).unwrap();
            block_on(first.flush(&kv, NOW)).unwrap();
            check(before * 2 + 2, before);
            // The second takes the seat; in the next round the first wakes up and finds out.
            count(&second, 2);
            block_on(second.flush(&kv, NOW)).unwrap();
            check(before * 2 + 2, before + 1);
        }
        assert_eq!(block_on(kv.list("")).unwrap(), ["metrics:v1:03"]);
    }

    #[test]
    fn flushes_are_due_at_intervals() {
        let kv = MemoryKv::default();
        let meter = meter(1);
        assert!(meter.is_due(NOW));
        kv.set_down(true);
        assert!(block_on(meter.flush(&kv, NOW)).is_err());
        for (later, due) in [(0, false), (1_999, false), (2_000, true), (100_000, true)] {
            let later = Duration::from_millis(later);
            assert_eq!(meter.is_due(NOW + later), due, "{later:?}");
            assert_eq!(meter.is_due(NOW - later), due, "clock set back by {later:?}");
        }
    }

    #[test]
    fn an_outage_loses_nothing() {
        let kv = SteppedKv::new(1);
        let meter = meter(1);
        for fault in [Fault::Refused, Fault::Unheard, Fault::Refused, Fault::Refused] {
            count(&meter, 1);
            kv.next_fault.set(Some(fault));
            assert!(block_on(meter.flush(&kv, NOW)).is_err());
        }
        count(&meter, 1);
        block_on(meter.flush(&kv, NOW)).unwrap();
        assert_eq!(counted(&block_on(collect(&kv)).unwrap(), 1), 5);
    }

    #[test]
    fn a_late_swap_that_others_folded_is_not_repeated() {
        let kv = SteppedKv::new(1);
        let (first, second) = (meter(1), meter(2));
        count(&first, 1);
        kv.next_fault.set(Some(Fault::Late));
        assert!(block_on(first.flush(&kv, NOW)).is_err());
        block_on(kv.catch_up());
        count(&second, 2);
        block_on(second.flush(&kv, NOW)).unwrap();
        count(&first, 1);
        block_on(first.flush(&kv, NOW)).unwrap();
        let sum = block_on(collect(&kv)).unwrap();
        assert_eq!((counted(&sum, 1), counted(&sum, 2)), (2, 1));
    }

    /// What happens to one swap.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Fault {
        /// It fails, and nothing was written.
        Refused,
        /// It happens, but its answer is lost.
        Unheard,
        /// Its answer is lost, and it happens some time later.
        Late,
    }

    /// A swap on its way: key, expected, new.
    type LateSwap = (String, Option<Vec<u8>>, Vec<u8>);

    /// A store at which others get their turn before and after every operation, with faults.
    struct SteppedKv {
        inner: MemoryKv,
        random: SeededEntropy,
        /// Swaps in a hundred that go wrong.
        faulty: Cell<u64>,
        next_fault: Cell<Option<Fault>>,
        late: RefCell<Vec<LateSwap>>,
    }

    impl SteppedKv {
        fn new(seed: u64) -> Self {
            Self {
                inner: MemoryKv::default(),
                random: SeededEntropy::new(seed),
                faulty: Cell::new(0),
                next_fault: Cell::new(None),
                late: RefCell::default(),
            }
        }

        fn below(&self, bound: u64) -> u64 {
            let mut bytes = [0; 8];
            self.random.fill(&mut bytes);
            u64::from_le_bytes(bytes) % bound
        }

        /// Lets one of the late swaps happen, if it still can.
        async fn catch_up(&self) {
            let swap = self.late.borrow_mut().pop();
            if let Some((key, expected, new)) = swap {
                let _ = self.inner.swap(&key, expected.as_deref(), &new).await;
            }
        }

        fn fault(&self) -> Option<Fault> {
            let random = (self.below(100) < self.faulty.get())
                .then(|| [Fault::Refused, Fault::Unheard, Fault::Late][self.below(3) as usize]);
            self.next_fault.take().or(random)
        }
    }

    /// Lets others get their turn.
    async fn step() {
        let mut stepped = false;
        poll_fn(|context| {
            context.waker().wake_by_ref();
            if std::mem::replace(&mut stepped, true) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    impl Kv for SteppedKv {
        async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
            step().await;
            let value = self.inner.get(key).await;
            step().await;
            value
        }
        async fn set(&self, key: &str, value: &[u8]) -> Result<(), KvError> {
            self.inner.set(key, value).await
        }
        async fn delete(&self, key: &str) -> Result<(), KvError> {
            self.inner.delete(key).await
        }
        async fn list(&self, prefix: &str) -> Result<Vec<String>, KvError> {
            self.inner.list(prefix).await
        }
        async fn swap(
            &self,
            key: &str,
            expected: Option<&[u8]>,
            new: &[u8],
        ) -> Result<bool, KvError> {
            step().await;
            let fault = self.fault();
            if fault == Some(Fault::Late) {
                let swap = (key.to_owned(), expected.map(<[u8]>::to_vec), new.to_vec());
                self.late.borrow_mut().push(swap);
            }
            let happened = match fault {
                None | Some(Fault::Unheard) => self.inner.swap(key, expected, new).await,
                Some(Fault::Refused | Fault::Late) => Ok(false),
            };
            step().await;
            match fault {
                None => happened,
                Some(fault) => Err(KvError::Unavailable { reason: format!("{fault:?}") }),
            }
        }
    }

    /// An instance of the simulation.
    struct Instance {
        id: u64,
        meter: Meter,
        /// Events so far.
        recorded: Cell<u64>,
        /// Events that a flush said are written.
        written: Cell<u64>,
        /// Whether a flush failed or was dropped, so that events may be lost.
        doubtful: Cell<bool>,
    }

    impl Instance {
        fn new(id: u64) -> Rc<Self> {
            let (recorded, written) = Default::default();
            Rc::new(Self { id, meter: meter(id), recorded, written, doubtful: Cell::default() })
        }

        async fn flush(&self, kv: &SteppedKv) {
            if self.meter.is_flushing.get() {
                return;
            }
            let recorded = self.recorded.get();
            // Until it is over it counts as failed: it may be dropped.
            let before = self.doubtful.replace(true);
            if self.meter.flush(kv, NOW).await.is_ok() {
                self.doubtful.set(before);
                if !before {
                    self.written.set(recorded);
                }
            }
        }
    }

    /// What the collects found that are over: the most of each instance.
    type Seen = RefCell<BTreeMap<u64, u64>>;

    async fn watch(kv: &SteppedKv, all: &RefCell<Vec<Rc<Instance>>>, seen: &Seen, seed: u64) {
        let least = seen.borrow().clone();
        let written: Vec<u64> = all.borrow().iter().map(|it| it.written.get()).collect();
        let sum = collect(kv).await.unwrap();
        for (at, instance) in all.borrow().iter().enumerate() {
            let found = counted(&sum, instance.id);
            let least = least.get(&instance.id).copied().unwrap_or(0);
            assert!(found >= least, "seed {seed}: went backwards from {least} to {found}");
            let written = written.get(at).copied().unwrap_or(0);
            assert!(found >= written, "seed {seed}: lost, {found} of {written}");
            let recorded = instance.recorded.get();
            assert!(found <= recorded, "seed {seed}: counted twice, {found} of {recorded}");
            let mut seen = seen.borrow_mut();
            let most = seen.entry(instance.id).or_default();
            *most = found.max(*most);
        }
    }

    /// One history of instances, collects, deaths and faults at random.
    fn simulate(seed: u64, faulty: u64) {
        let kv = SteppedKv::new(seed);
        kv.faulty.set(faulty);
        let (all, seen) = (RefCell::new(Vec::new()), Seen::default());
        let mut alive: Vec<Rc<Instance>> = Vec::new();
        let mut tasks: Vec<Pin<Box<dyn Future<Output = ()> + '_>>> = Vec::new();
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..1_500 {
            let chosen = (!alive.is_empty()).then(|| kv.below(alive.len() as u64) as usize);
            match (kv.below(40), chosen) {
                (0, _) | (_, None) if alive.len() < 5 => {
                    let instance = Instance::new(all.borrow().len() as u64);
                    all.borrow_mut().push(Rc::clone(&instance));
                    alive.push(instance);
                }
                // It dies; a flush on its way may still arrive.
                (1, Some(chosen)) => drop(alive.swap_remove(chosen)),
                (2..=7, Some(chosen)) => {
                    let instance = &alive[chosen];
                    count(&instance.meter, instance.id);
                    instance.recorded.set(instance.recorded.get() + 1);
                }
                (8..=10, Some(chosen)) => {
                    let (instance, kv) = (Rc::clone(&alive[chosen]), &kv);
                    tasks.push(Box::pin(async move { instance.flush(kv).await }));
                }
                (11, _) if tasks.len() < 8 => tasks.push(Box::pin(watch(&kv, &all, &seen, seed))),
                (12, _) if faulty > 0 && !tasks.is_empty() => {
                    drop(tasks.swap_remove(kv.below(tasks.len() as u64) as usize));
                }
                (13, _) => block_on(kv.catch_up()),
                _ if !tasks.is_empty() => {
                    let at = kv.below(tasks.len() as u64) as usize;
                    if tasks[at].as_mut().poll(&mut context).is_ready() {
                        drop(tasks.swap_remove(at));
                    }
                }
                _ => {}
            }
        }
        for task in tasks {
            block_on(task);
        }
        while !kv.late.borrow().is_empty() {
            block_on(kv.catch_up());
        }
        kv.faulty.set(0);
        for instance in &alive {
            block_on(instance.flush(&kv));
        }
        block_on(watch(&kv, &all, &seen, seed));
        for instance in &alive {
            let (found, recorded) = (seen.borrow()[&instance.id], instance.recorded.get());
            assert!(
                found == recorded || instance.doubtful.get(),
                "seed {seed}: {found} {recorded}"
            );
        }
        assert!(faulty > 0 || alive.iter().all(|instance| !instance.doubtful.get()));
    }

    #[test]
    fn crossing_instances_and_collects_never_go_backwards_lose_or_count_twice() {
        for seed in 0..150 {
            simulate(seed, 0);
            simulate(seed, 25);
        }
    }
}
