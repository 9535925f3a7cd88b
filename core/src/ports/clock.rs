//! The clock port: wall-clock time as a duration.

use std::time::Duration;

/// Tells the time.
///
/// Read once a request, at the edge; everything below takes the time as an argument. Two readings
/// may be equal, and a later one may be smaller when the machine's clock is set back: callers use
/// saturating arithmetic.
pub trait Clock {
    /// Returns the time since the Unix epoch.
    fn now(&self) -> Duration;
}
