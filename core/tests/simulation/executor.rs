//! A deterministic executor with a virtual clock: a seed decides who runs next, and time moves on
//! only when everybody waits for it.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::{Future, poll_fn},
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use dossier_core::ports::Clock;

use crate::chance::Chance;

/// A task of a schedule.
pub(crate) type Task<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// The virtual clock; clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct VirtualClock(Rc<Timers>);

#[derive(Debug, Default)]
struct Timers {
    now: Cell<Duration>,
    /// Who waits for when; the number keeps equal times apart.
    waiting: RefCell<BTreeMap<(Duration, u64), Waker>>,
    next: Cell<u64>,
}

impl VirtualClock {
    /// A clock that shows `now`.
    pub(crate) fn at(now: Duration) -> Self {
        let clock = Self::default();
        clock.0.now.set(now);
        clock
    }

    /// Moves on to the first time that somebody waits for; `false` where nobody does.
    fn advance(&self) -> bool {
        let Some(((at, _), waker)) = self.0.waiting.borrow_mut().pop_first() else { return false };
        self.0.now.set(at.max(self.0.now.get()));
        waker.wake();
        true
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Duration {
        self.0.now.get()
    }

    async fn sleep(&self, duration: Duration) {
        let until = self.now().saturating_add(duration);
        let number = self.0.next.replace(self.0.next.get() + 1);
        poll_fn(|context| {
            let mut waiting = self.0.waiting.borrow_mut();
            if self.now() >= until {
                waiting.remove(&(until, number));
                return Poll::Ready(());
            }
            waiting.insert((until, number), context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// Lets others run.
pub(crate) async fn pause() {
    let mut paused = false;
    poll_fn(|context| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Waits until whoever waits for it was woken as often by others.
pub(crate) async fn turns(count: u64) {
    let mut left = count;
    poll_fn(|_| {
        left = left.saturating_sub(1);
        if left == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs `tasks` to their end, in the order that `chance` decides.
///
/// # Panics
/// Somebody waits for what never comes.
pub(crate) fn run(clock: &VirtualClock, chance: &Chance, tasks: Vec<Task<'_>>) {
    let mut tasks: Vec<(Task<'_>, Arc<Flag>)> =
        tasks.into_iter().map(|task| (task, Arc::new(Flag(AtomicBool::new(true))))).collect();
    while !tasks.is_empty() {
        let ready: Vec<usize> =
            (0..tasks.len()).filter(|at| tasks[*at].1.0.load(Ordering::Relaxed)).collect();
        if ready.is_empty() {
            assert!(clock.advance(), "{} tasks wait for what never comes", tasks.len());
            continue;
        }
        let at = chance.one(&ready);
        let (task, flag) = &mut tasks[at];
        flag.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(flag));
        if task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            drop(tasks.swap_remove(at));
        }
    }
}
