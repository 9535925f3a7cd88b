//! Questions under way: of several equal ones at a time, one is answered and the others wait.

use std::{cell::RefCell, collections::BTreeSet};

/// The questions that this instance is answering, by the name of their answer.
#[derive(Debug, Default)]
pub struct Flights(RefCell<BTreeSet<String>>);

/// The right to answer a question; dropping it lets the next one who asks for it have it.
#[derive(Debug)]
pub struct Boarding<'a> {
    flights: &'a Flights,
    name: String,
}

impl Flights {
    /// Takes the right to answer `name`; `None` while somebody else has it.
    ///
    /// Whoever waits for it looks again after a while by the clock: requests of one instance cannot
    /// wake each other on every runtime (docs/decisions/0024-one-pipeline.md).
    pub fn board(&self, name: &str) -> Option<Boarding<'_>> {
        let free = self.0.borrow_mut().insert(name.to_owned());
        free.then(|| Boarding { flights: self, name: name.to_owned() })
    }
}

impl Drop for Boarding<'_> {
    fn drop(&mut self) {
        self.flights.0.borrow_mut().remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_several_equal_questions_is_under_way() {
        let flights = Flights::default();
        let first = flights.board("a");
        assert!(first.is_some() && flights.board("a").is_none());
        assert!(flights.board("b").is_some());
        drop(first);
        assert!(flights.board("a").is_some());
        assert!(flights.0.borrow().is_empty());
    }
}
