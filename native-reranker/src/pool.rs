//! One pool of threads for everything that computes: tokenising and the networks.
//!
//! Work that nobody waits for any more, because its time is over or its client has gone, is dropped
//! when its turn comes.

use std::{
    io,
    num::NonZero,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

type Job = Box<dyn FnOnce() + Send>;

/// The threads; they end when the pool is dropped.
#[derive(Clone, Debug)]
pub struct Pool {
    jobs: mpsc::Sender<Job>,
}

/// Why there is no result.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PoolError {
    /// The time was over first.
    #[error("not done in time")]
    Late,
    /// The work panicked: a defect.
    #[error("the work panicked")]
    Panicked,
}

impl Pool {
    /// Starts `workers` threads.
    ///
    /// # Errors
    /// The system has no threads left.
    pub fn start(workers: NonZero<usize>) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..workers.get() {
            let queue = Arc::clone(&queue);
            let worker = move || {
                loop {
                    // The lock is held while waiting: the others wait for it instead of the queue.
                    let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(job) = job else { return };
                    // Whoever waits learns of a panic by the end of its channel.
                    let _ = catch_unwind(AssertUnwindSafe(job));
                }
            };
            thread::Builder::new().name(format!("worker-{number}")).spawn(worker)?;
        }
        Ok(Self { jobs })
    }

    /// Has a thread do `work`, after everything that was asked for before, and waits for the result
    /// until `deadline`.
    ///
    /// # Errors
    /// [`PoolError`].
    pub async fn run<T: Send + 'static>(
        &self,
        deadline: Instant,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PoolError> {
        let (reply, result) = oneshot::channel();
        let job = move || {
            if !reply.is_closed() {
                // Nobody may be there to take it.
                let _ = reply.send(work());
            }
        };
        // A channel without threads drops the job and with it `reply`.
        let _ = self.jobs.send(Box::new(job));
        match timeout_at(deadline, result).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(_)) => Err(PoolError::Panicked),
            Err(_) => Err(PoolError::Late),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const ONE: NonZero<usize> = NonZero::<usize>::MIN;

    fn far() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[tokio::test]
    async fn work_is_done_and_a_panic_costs_nothing_else() {
        let pool = Pool::start(ONE).unwrap();
        assert_eq!(pool.run(far(), || 1 + 1).await, Ok(2));
        assert_eq!(
            pool.run(far(), || -> u8 { panic!("a defect") }).await,
            Err(PoolError::Panicked)
        );
        assert_eq!(pool.run(far(), || 3).await, Ok(3));
    }

    #[tokio::test]
    async fn work_that_is_late_is_never_begun() {
        let pool = Pool::start(ONE).unwrap();
        let (free, blocked) = mpsc::channel::<()>();
        let busy = tokio::spawn({
            let pool = pool.clone();
            async move { pool.run(far(), move || blocked.recv().is_ok()).await }
        });
        // The one thread has its work before the late one is asked for.
        tokio::task::yield_now().await;
        let begun = Arc::new(Mutex::new(false));
        let late = pool.run(Instant::now(), {
            let begun = Arc::clone(&begun);
            move || *begun.lock().unwrap() = true
        });
        assert_eq!(late.await, Err(PoolError::Late));
        free.send(()).unwrap();
        assert_eq!(busy.await.unwrap(), Ok(true));
        assert_eq!(pool.run(far(), || ()).await, Ok(()));
        assert!(!*begun.lock().unwrap());
    }
}
