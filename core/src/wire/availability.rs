//! What was last heard of the providers, as it stands in the store.

use serde::{Deserialize, Serialize};

/// One look at all providers. Postcard: fields in this order, no names.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct AvailabilityRecord {
    /// Format version, 1.
    pub version: u8,
    /// When they were looked at, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Until when somebody is looking at them anew.
    pub lease_ms: u64,
    /// What was found.
    pub findings: Vec<FindingRecord>,
}

/// What was found at one provider.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct FindingRecord {
    /// The provider.
    pub provider: String,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Whether what is wrong passes by itself: a limit, or a lack of capacity.
    pub busy: bool,
    /// What is wrong; `None` where it answered.
    pub error: Option<String>,
}
