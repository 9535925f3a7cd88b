//! What instances have counted, as it stands in the store.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Numbers of series: by name of the metric, then by the values of its labels.
pub type Families = BTreeMap<String, BTreeMap<String, Vec<u64>>>;

/// A seat: the snapshot of the instance that wrote last, and the sum of those before it.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct SeatRecord {
    /// Format version, 1.
    pub version: u8,
    /// The instance that wrote last.
    pub owner: u64,
    /// What earlier owners counted.
    pub base: Families,
    /// What this owner counted since it took the seat.
    pub snapshot: Families,
}
