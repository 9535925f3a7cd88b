//! What an instance keeps between questions.
//!
//! Nothing of a visitor: answers that anybody would get, numbers, and what was reserved of
//! providers and not given back yet.

use std::{cell::RefCell, num::NonZeroUsize, rc::Rc, time::Duration};

use lru::LruCache;

use crate::{
    answer::{REFUSAL, prompt::RULES},
    cache::{AnswerCache, Flights},
    guard::{Shingles, Signal},
    llm::{Permit, Settlement},
    model::Encoded,
    ports::Entropy,
    telemetry::metrics::Meter,
};

/// Questions whose vectors are kept: some 20 KiB each.
const ENCODED: NonZeroUsize = NonZeroUsize::new(64).unwrap();
/// Orders of passages that are kept, a number a passage.
const ORDERS: NonZeroUsize = NonZeroUsize::new(256).unwrap();

/// Questions that Prompt Guard was asked about.
const SIGNALS: NonZeroUsize = NonZeroUsize::new(512).unwrap();

/// What one instance keeps; requests that cross in it share it.
#[derive(Debug)]
pub struct Instance {
    /// Answers given before.
    pub(super) answers: AnswerCache,
    /// Questions under way.
    pub(super) flights: Flights,
    /// Its counters.
    pub meter: Meter,
    /// The prompt, to recognise it where a model quotes it.
    pub(super) rules: Shingles,
    encoded: RefCell<LruCache<String, Rc<Encoded>>>,
    orders: RefCell<LruCache<String, Rc<Vec<f32>>>>,
    signals: RefCell<LruCache<String, Signal>>,
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
            signals: RefCell::new(LruCache::new(SIGNALS)),
            rules: Shingles::of(RULES, &[REFUSAL]),
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

    /// What Prompt Guard said of a question.
    pub(super) fn signal(&self, question: &str) -> Option<Signal> {
        self.signals.borrow_mut().get(question).copied()
    }

    pub(super) fn keep_signal(&self, question: &str, signal: Signal) {
        self.signals.borrow_mut().put(question.to_owned(), signal);
    }

    /// Takes what is to be told; whoever cannot tell it gives it [back](Self::settle).
    pub(super) fn take_settlements(&self) -> Vec<Settled> {
        self.settlements.take()
    }

    pub(super) fn settle(&self, settled: impl IntoIterator<Item = Settled>) {
        self.settlements.borrow_mut().extend(settled);
    }
}
