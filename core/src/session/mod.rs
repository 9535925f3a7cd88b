//! Conversations: what was asked before, so that a follow-up can be understood.

mod store;

pub use self::store::{MAX_TURNS, Session, TTL, is_id, new_id};
