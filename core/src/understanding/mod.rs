//! Understanding: what a question means before anything is searched for, and what the documents'
//! silence means after it. Pure functions of a question, the turns before it and an index.

mod absence;
mod ambiguity;
mod category;
mod chit_chat;
mod claim;
pub mod condensation;
mod ellipsis;
mod existence;
mod follow_up;
mod inventory;
mod pattern;
mod premise;
mod reference;
mod rewrite;
#[cfg(test)]
mod samples;
mod subject;
mod token;

pub use self::{
    ambiguity::{Clarification, ambiguity},
    category::Category,
    chit_chat::{ChitChat, Reply, chit_chat},
    existence::{Denial, Existence, deny, existence},
    follow_up::{Condensed, condense},
    premise::{Correction, premise},
    rewrite::{PatternFault, Rewrite, Rewriter},
};
