//! Feedback: a visitor's thumb and comment on an answer, and the owner's listing of them.

mod desk;
mod selection;
mod vote;

pub use self::{
    desk::{list, record},
    selection::{Cursor, LIMIT, MAX_LIMIT, Selection},
    vote::{MAX_COMMENT_CHARS, MAX_MESSAGE_ID_CHARS, Recorded, Vote},
};
