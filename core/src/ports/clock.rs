//! The clock port: wall-clock time as a duration, and waiting.

use std::time::Duration;

/// Tells the time.
///
/// Read once a request, at the edge; everything below takes the time as an argument. Only what waits
/// for somebody else reads it again, to know how long that took. Two readings
/// may be equal, and a later one may be smaller when the machine's clock is set back: callers use
/// saturating arithmetic.
#[expect(async_fn_in_trait, reason = "guests are single-threaded, no Send bound is wanted")]
pub trait Clock {
    /// Returns the time since the Unix epoch.
    fn now(&self) -> Duration;

    /// Waits for `span` at the least; other work of the same instance goes on meanwhile.
    async fn sleep(&self, span: Duration);
}
