//! The feedback port: what visitors thought of answers, kept until the owner reads it.

use crate::feedback::{Recorded, Selection, Vote};

/// A durable table of votes, shared by all instances.
///
/// There is one entry for a session and message, whatever crosses: the store decides, not its
/// callers. A write that was answered is read by everybody. It is not part of [`Env`], since one
/// component alone has it.
///
/// [`Env`]: super::Env
#[expect(async_fn_in_trait, reason = "guests are single-threaded, no Send bound is wanted")]
pub trait Feedback {
    /// Keeps `vote` under `proposed.id`, or changes the entry that its session and message have
    /// already: thumb and comment are the new ones, id and time of creation stay.
    ///
    /// # Errors
    /// Nothing is known to be written; recording the same vote again is safe.
    async fn record(&self, vote: &Vote, proposed: &Proposal) -> Result<Recorded, FeedbackError>;

    /// Returns the entries that `selection` wants, newest first; equal times by descending id.
    ///
    /// # Errors
    /// The store cannot be reached.
    async fn list(&self, selection: &Selection) -> Result<Vec<Entry>, FeedbackError>;
}

/// What a new entry gets.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Proposal {
    /// Its id, never used before.
    pub id: String,
    /// Milliseconds since the Unix epoch.
    pub now: u64,
}

/// An entry of the table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// Its id, a UUID.
    pub id: String,
    /// What was voted last.
    pub vote: Vote,
    /// Time of the first vote, in milliseconds since the Unix epoch.
    pub created_at: u64,
    /// Time of the last vote, likewise.
    pub updated_at: u64,
}

/// The table cannot be read or written.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("feedback store unavailable: {reason}")]
pub struct FeedbackError {
    /// What the database said; for the operator's eyes.
    pub reason: String,
}
