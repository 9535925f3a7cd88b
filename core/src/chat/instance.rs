//! What an instance keeps between questions.
//!
//! Nothing of a visitor: answers that anybody would get, numbers, and what was reserved of
//! providers and not given back yet.

use std::{cell::RefCell, num::NonZeroUsize, rc::Rc, time::Duration};

use lru::LruCache;

use crate::{
    cache::{AnswerCache, Flights},
    llm::{Permit, Settlement},
    model::Encoded,
    ports::Entropy,
    telemetry::metrics::Meter,
};

/// Questions whose vectors are kept: some 20 KiB each.
const ENCODED: NonZeroUsize = NonZeroUsize::new(64).unwrap();
/// Orders of passages that are kept, a number a passage.
const ORDERS: NonZeroUsize = NonZeroUsize::new(256).unwrap();

/// What one instance keeps; requests that cross in it share it.
#[derive(Debug)]
pub struct Instance {
    /// Answers given before.
    pub(super) answers: AnswerCache,
    /// Questions under way.
    pub(super) flights: Flights,
    /// Its counters.
    pub meter: Meter,
    encoded: RefCell<LruCache<String, Rc<Encoded>>>,
    orders: RefCell<LruCache<String, Rc<Vec<f32>>>>,
    settlements: RefCell<Vec<Settled>>,
}

/// What became of a permit, still to be told to the other instances.
#[derive(Clone, Debug)]
pub(super) struct Settled {
    pub(super) permit: Permit,
    pub(super) settlement: Settlement,
    pub(super) at: Duration,
}

impl Instance {
    /// A new instance, which `entropy` names.
    pub fn new(entropy: &impl Entropy) -> Self {
        Self {
            answers: AnswerCache::default(),
            flights: Flights::default(),
            meter: Meter::new(entropy),
            encoded: RefCell::new(LruCache::new(ENCODED)),
            orders: RefCell::new(LruCache::new(ORDERS)),
            settlements: RefCell::default(),
        }
    }

    /// What the encoder made of a text: the last time, or now.
    pub(super) fn encoded(
        &self,
        text: &str,
        encode: impl FnOnce() -> Option<Encoded>,
    ) -> (Option<Rc<Encoded>>, bool) {
        if let Some(encoded) = self.encoded.borrow_mut().get(text) {
            return (Some(Rc::clone(encoded)), true);
        }
        let encoded = encode().map(Rc::new);
        if let Some(encoded) = &encoded {
            self.encoded.borrow_mut().put(text.to_owned(), Rc::clone(encoded));
        }
        (encoded, false)
    }

    /// The scores that the reranker last gave, under a name of question and passages.
    pub(super) fn order(&self, name: &str) -> Option<Rc<Vec<f32>>> {
        self.orders.borrow_mut().get(name).cloned()
    }

    pub(super) fn keep_order(&self, name: String, scores: Vec<f32>) {
        self.orders.borrow_mut().put(name, Rc::new(scores));
    }

    /// Takes what is to be told; whoever cannot tell it gives it [back](Self::settle).
    pub(super) fn take_settlements(&self) -> Vec<Settled> {
        self.settlements.take()
    }

    pub(super) fn settle(&self, settled: impl IntoIterator<Item = Settled>) {
        self.settlements.borrow_mut().extend(settled);
    }
}
