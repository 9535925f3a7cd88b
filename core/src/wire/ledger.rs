//! The ledger of limits as it is stored: postcard, whose integers are short where numbers are small.

use serde::{Deserialize, Serialize};

/// The account of who has asked how often, and beside it whatever else must change in one write.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct LedgerRecord {
    /// Format version, 1.
    pub version: u8,
    /// The day that `questions` belong to, counted from the Unix epoch.
    pub day: u64,
    /// Questions of that day.
    pub questions: u32,
    /// Conversations.
    pub places: Vec<PlaceRecord>,
    /// Addresses that keep coming although refused.
    pub offenders: Vec<OffenderRecord>,
    /// Providers' reservations, in a format of their own; empty if there are none.
    pub llm: Vec<u8>,
}

/// A conversation's last hour: some 33 bytes, at most 60.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct PlaceRecord {
    /// Hash of the conversation.
    #[serde(with = "postcard::fixint::le")]
    pub session: u64,
    /// Hash of the address.
    #[serde(with = "postcard::fixint::le")]
    pub address: u64,
    /// Slot of five minutes with its last query, counted from the Unix epoch.
    pub newest: u32,
    /// Queries in that slot and the twelve before it.
    pub counts: [u16; 13],
}

/// An address that came again although it was told to wait.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct OffenderRecord {
    /// Hash of the address.
    #[serde(with = "postcard::fixint::le")]
    pub address: u64,
    /// How often.
    pub strikes: u8,
    /// When last, in seconds since the Unix epoch.
    pub struck: u64,
    /// Refused until then, in seconds since the Unix epoch.
    pub blocked_until: u64,
}
