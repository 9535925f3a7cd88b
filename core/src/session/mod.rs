//! Conversations: what was asked before, so that a follow-up can be understood.

mod id;
mod key;
mod store;

pub use self::{
    id::{is_id, new_id},
    key::SessionKey,
    store::Session,
};
