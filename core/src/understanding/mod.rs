//! Understanding: what a question means before anything is searched for, and what the documents'
//! silence means after it. Pure functions of a question, the turns before it and an index.

mod ambiguity;
mod category;
mod chit_chat;
pub mod condensation;
mod ellipsis;
mod follow_up;
mod inventory;
mod reference;
#[cfg(test)]
mod samples;
mod subject;
mod token;

pub use self::{
    ambiguity::{Clarification, ambiguity},
    category::Category,
    chit_chat::{ChitChat, Reply, chit_chat},
    follow_up::{Condensed, condense},
    subject::{MAX_TOPICS, Subject},
};
