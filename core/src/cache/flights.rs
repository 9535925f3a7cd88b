//! Questions under way: of several equal ones at a time, one is answered and the others wait.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    sync::{Arc, Weak},
};

use futures_util::lock::{Mutex, OwnedMutexGuard};

/// The questions that this instance is answering, by the name of their answer.
#[derive(Debug, Default)]
pub struct Flights(RefCell<BTreeMap<String, Weak<Mutex<()>>>>);

/// The right to answer a question; dropping it lets the next one who waits have it.
#[derive(Debug)]
pub struct Boarding<'a> {
    flights: &'a Flights,
    name: String,
    guard: Option<OwnedMutexGuard<()>>,
    /// Whether somebody else had it first: the answer may be in the cache by now.
    pub waited: bool,
}

impl Flights {
    /// Waits until nobody else is answering `name`.
    pub async fn board(&self, name: &str) -> Boarding<'_> {
        let flight = {
            let mut flights = self.0.borrow_mut();
            let known = flights.get(name).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let flight = Arc::new(Mutex::new(()));
                flights.insert(name.to_owned(), Arc::downgrade(&flight));
                flight
            })
        };
        let (guard, waited) = match flight.try_lock_owned() {
            Some(guard) => (guard, false),
            None => (flight.lock_owned().await, true),
        };
        Boarding { flights: self, name: name.to_owned(), guard: Some(guard), waited }
    }
}

impl Drop for Boarding<'_> {
    fn drop(&mut self) {
        self.guard.take();
        let mut flights = self.flights.0.borrow_mut();
        if flights.get(&self.name).is_some_and(|flight| flight.strong_count() == 0) {
            flights.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures::{
        executor::block_on,
        future::{join, poll_fn},
    };

    use super::*;

    #[test]
    fn equal_questions_wait_and_others_do_not() {
        let flights = Flights::default();
        let done = Cell::new(false);
        let first = async {
            let boarding = flights.board("a").await;
            assert!(!boarding.waited && !flights.board("b").await.waited);
            // Lets the other run while this one is under way.
            let mut yielded = false;
            poll_fn(|context| {
                if std::mem::replace(&mut yielded, true) {
                    return std::task::Poll::Ready(());
                }
                context.waker().wake_by_ref();
                std::task::Poll::Pending
            })
            .await;
            done.set(true);
        };
        let second = async {
            let boarding = flights.board("a").await;
            assert!(boarding.waited && done.get());
        };
        block_on(join(first, second));
        assert!(flights.0.borrow().is_empty());
    }
}
