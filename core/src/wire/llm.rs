//! What the instances agree on about providers: a part of the ledger, which carries the version.

use serde::{Deserialize, Serialize};

/// Every provider's state, and what was spent today.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct LlmRecord {
    /// One a provider that was ever asked.
    pub providers: Vec<LlmProviderRecord>,
    /// Days since the Unix epoch to which the next two belong.
    pub day: u64,
    /// Tokens of that day, over all providers.
    pub tokens: u64,
    /// Cost of that day in millionths of a dollar, over all providers.
    pub micro_usd: u64,
}

/// A provider's state.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LlmProviderRecord {
    /// Its name.
    pub name: String,
    /// Its breaker.
    pub breaker: BreakerRecord,
    /// Until when it asked to be left alone, in milliseconds since the Unix epoch.
    pub closed_until_ms: u64,
    /// Models that it no longer serves, and until when that is believed, in the same unit.
    pub withdrawn: Vec<(String, u64)>,
    /// The last minute.
    pub minute: WindowRecord,
    /// The last day.
    pub day: WindowRecord,
}

/// A breaker.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum BreakerRecord {
    /// Requests pass.
    Closed {
        /// Failures in a row.
        failures: u8,
    },
    /// None passes.
    Open {
        /// Its end, in milliseconds since the Unix epoch.
        until_ms: u64,
    },
    /// Probes pass.
    HalfOpen {
        /// Probes that succeeded.
        successes: u8,
        /// Probes under way.
        probes: u8,
        /// When those are over at the latest, in milliseconds since the Unix epoch.
        lease_ms: u64,
    },
}

/// Counts by time, newest first, without the zeros at the end.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct WindowRecord {
    /// Number of the newest slot since the Unix epoch.
    pub slot: u64,
    /// Requests and tokens of each slot.
    pub counts: Vec<(u64, u64)>,
}
