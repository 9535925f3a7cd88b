//! Where an answer goes while it is made.

use crate::answer::Event;

/// Takes the events of one answer, in their order.
#[expect(async_fn_in_trait, reason = "guests are single-threaded, no Send bound is wanted")]
pub trait Sink {
    /// Takes the next event. A visitor who has gone is no error: what was asked is still answered
    /// and remembered.
    async fn send(&mut self, event: Event);

    /// Whether visitors see events as they come, so that what was sent cannot be taken back.
    fn is_live(&self) -> bool;
}

/// For replies in one piece, which are made of the whole answer: events go nowhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Sink for Silent {
    async fn send(&mut self, _event: Event) {}

    fn is_live(&self) -> bool {
        false
    }
}
