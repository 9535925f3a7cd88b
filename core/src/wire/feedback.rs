//! `/feedback`: a vote, its receipt, the owner's listing.

use serde::{Deserialize, Serialize};

/// A vote on an answer. Unknown fields are ignored.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct FeedbackRequest {
    /// The conversation; 1 to 64 of `[A-Za-z0-9_-]`.
    pub session_id: String,
    /// The answer, as the client numbers them; 1 to 64 characters.
    pub message_id: String,
    /// Whether it was good.
    pub thumbs_up: bool,
    /// At most 1 000 characters after trimming.
    #[serde(default)]
    pub comment: Option<String>,
}

/// The receipt: status 201 for a new vote, 200 where it changed an earlier one on the same message.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct FeedbackReceipt {
    /// The entry's id, a UUID; the same for every vote on one message.
    pub id: String,
    /// `received`.
    pub status: &'static str,
}

/// A page of the listing, newest first.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct FeedbackPage {
    /// The entries.
    pub items: Vec<FeedbackEntry>,
    /// Asks for the next page as `cursor`; `null` on the last.
    pub next_cursor: Option<String>,
}

/// A vote as the owner sees it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct FeedbackEntry {
    /// Its id.
    pub id: String,
    /// As in [`FeedbackRequest`].
    pub session_id: String,
    /// As in [`FeedbackRequest`].
    pub message_id: String,
    /// As in [`FeedbackRequest`].
    pub thumbs_up: bool,
    /// As in [`FeedbackRequest`], trimmed; `null` for none.
    pub comment: Option<String>,
    /// The first vote, in seconds since the Unix epoch.
    pub created_at: u64,
    /// The last vote, likewise.
    pub updated_at: u64,
}
