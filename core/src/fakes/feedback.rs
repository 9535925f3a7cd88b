//! A table of votes in memory.

use std::{cell::RefCell, rc::Rc};

use crate::{
    feedback::{Cursor, Recorded, Selection, Vote},
    ports::{Entry, Feedback, FeedbackError, Proposal},
};

/// Votes in memory; clones share them, as instances share a real table.
#[derive(Clone, Debug, Default)]
pub struct MemoryFeedback {
    entries: Rc<RefCell<Vec<Entry>>>,
    down: Rc<RefCell<bool>>,
}

impl MemoryFeedback {
    /// Makes every call fail (`true`) or work again (`false`).
    pub fn set_down(&self, down: bool) {
        *self.down.borrow_mut() = down;
    }

    fn check(&self) -> Result<(), FeedbackError> {
        match *self.down.borrow() {
            true => Err(FeedbackError { reason: "set down by a test".to_owned() }),
            false => Ok(()),
        }
    }
}

impl Feedback for MemoryFeedback {
    async fn record(&self, vote: &Vote, proposed: &Proposal) -> Result<Recorded, FeedbackError> {
        self.check()?;
        let mut entries = self.entries.borrow_mut();
        let same = |entry: &&mut Entry| {
            entry.vote.session_id == vote.session_id && entry.vote.message_id == vote.message_id
        };
        if let Some(entry) = entries.iter_mut().find(same) {
            entry.vote = vote.clone();
            entry.updated_at = proposed.now;
            return Ok(Recorded { id: entry.id.clone(), created: false });
        }
        let Proposal { id, now } = proposed.clone();
        entries.push(Entry {
            id: id.clone(),
            vote: vote.clone(),
            created_at: now,
            updated_at: now,
        });
        Ok(Recorded { id, created: true })
    }

    async fn list(&self, selection: &Selection) -> Result<Vec<Entry>, FeedbackError> {
        self.check()?;
        let mut entries = self.entries.borrow().clone();
        entries.retain(|entry| {
            selection.thumbs_up.is_none_or(|thumb| thumb == entry.vote.thumbs_up)
                && selection.after.as_ref().is_none_or(|after| Cursor::of(entry) < *after)
        });
        entries.sort_by_key(|entry| std::cmp::Reverse(Cursor::of(entry)));
        entries.truncate(selection.limit);
        Ok(entries)
    }
}
