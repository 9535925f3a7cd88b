//! What is done with votes: recorded for a visitor, listed for the owner.

use super::{Cursor, Recorded, Selection, Vote};
use crate::{
    RequestError,
    ports::{Clock, Entropy, Entry, Env, Feedback, FeedbackError, Proposal},
    wire::{FeedbackEntry, FeedbackPage, FeedbackRequest},
};

/// Records a visitor's vote; a second one on the same message changes the first.
///
/// # Errors
/// [`RequestError::Invalid`], or [`RequestError::Unavailable`] without the store.
pub async fn record(
    env: &impl Env,
    store: &impl Feedback,
    request: FeedbackRequest,
) -> Result<Recorded, RequestError> {
    let vote = Vote::from_request(request)?;
    let now = u64::try_from(env.clock().now().as_millis()).unwrap_or_default();
    let proposal = Proposal { id: new_id(env.entropy()), now };
    store.record(&vote, &proposal).await.map_err(|error| unavailable(env, &error))
}

/// Lists votes, newest first.
///
/// # Errors
/// [`RequestError::Unavailable`] without the store.
pub async fn list(
    env: &impl Env,
    store: &impl Feedback,
    selection: &Selection,
) -> Result<FeedbackPage, RequestError> {
    // One more than wanted tells whether there is another page.
    let wanted = Selection { limit: selection.limit + 1, ..selection.clone() };
    let found = store.list(&wanted).await;
    let mut entries = found.map_err(|error| unavailable(env, &error))?;
    let more = entries.len() > selection.limit;
    entries.truncate(selection.limit);
    let last = entries.last().filter(|_| more).map(|entry| Cursor::of(entry).to_string());
    Ok(FeedbackPage { items: entries.into_iter().map(show).collect(), next_cursor: last })
}

fn show(entry: Entry) -> FeedbackEntry {
    let Vote { session_id, message_id, thumbs_up, comment } = entry.vote;
    FeedbackEntry {
        id: entry.id,
        session_id,
        message_id,
        thumbs_up,
        comment,
        created_at: entry.created_at / 1_000,
        updated_at: entry.updated_at / 1_000,
    }
}

/// What the database said is for the operator; a visitor can only try again.
fn unavailable(env: &impl Env, error: &FeedbackError) -> RequestError {
    env.warn(&error.to_string());
    RequestError::Unavailable { reason: "feedback is not available just now; try again".to_owned() }
}

/// A random UUID (RFC 9562, version 4).
fn new_id(entropy: &impl Entropy) -> String {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut id = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if [4, 6, 8, 10].contains(&index) {
            id.push('-');
        }
        id.push_str(&format!("{byte:02x}"));
    }
    id
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::executor::block_on;

    use super::*;
    use crate::fakes::{MemoryEnv, MemoryFeedback, SeededEntropy};

    fn request(message: &str, thumbs_up: bool) -> FeedbackRequest {
        FeedbackRequest {
            session_id: "s".to_owned(),
            message_id: message.to_owned(),
            thumbs_up,
            comment: None,
        }
    }

    #[test]
    fn a_second_vote_changes_the_first() {
        let (env, store) = (MemoryEnv::default(), MemoryFeedback::default());
        let vote = |thumb| block_on(record(&env, &store, request("m", thumb))).unwrap();
        env.clock.advance(Duration::from_secs(10));
        let first = vote(true);
        env.clock.advance(Duration::from_secs(5));
        let second = vote(false);
        assert_eq!((first.created, second.created), (true, false));
        assert_eq!(first.id, second.id);
        let page = block_on(list(&env, &store, &Selection::default())).unwrap();
        let [entry] = page.items.as_slice() else { panic!("{page:?}") };
        assert_eq!((entry.thumbs_up, entry.created_at, entry.updated_at), (false, 10, 15));
    }

    #[test]
    fn pages_cover_everything_once_while_votes_arrive() {
        let (env, store) = (MemoryEnv::default(), MemoryFeedback::default());
        let vote = |name: String| block_on(record(&env, &store, request(&name, true))).unwrap();
        for number in 0..7 {
            // Some share their time.
            env.clock.advance(Duration::from_secs(number % 2));
            vote(format!("m{number}"));
        }
        let mut selection = Selection { limit: 3, ..Selection::default() };
        let mut seen = Vec::new();
        loop {
            let page = block_on(list(&env, &store, &selection)).unwrap();
            seen.extend(page.items.into_iter().map(|entry| entry.message_id));
            let Some(cursor) = page.next_cursor else { break };
            selection.after = Some(cursor.parse().unwrap());
            env.clock.advance(Duration::from_secs(1));
            vote(format!("later{}", seen.len()));
        }
        assert!(!seen.iter().any(|name| name.starts_with("later")), "{seen:?}");
        seen.sort();
        assert_eq!(seen, ["m0", "m1", "m2", "m3", "m4", "m5", "m6"]);
    }

    #[test]
    fn without_the_store_nothing_of_it_is_told() {
        let (env, store) = (MemoryEnv::default(), MemoryFeedback::default());
        store.set_down(true);
        let refused = block_on(record(&env, &store, request("m", true))).unwrap_err();
        assert!(
            matches!(&refused, RequestError::Unavailable { reason } if !reason.contains("test"))
        );
        assert!(block_on(list(&env, &store, &Selection::default())).is_err());
    }

    #[test]
    fn ids_are_random_uuids() {
        let entropy = SeededEntropy::new(1);
        for _ in 0..32 {
            let id = new_id(&entropy);
            assert_eq!((id.len(), &id[14..15]), (36, "4"), "{id}");
            assert!("89ab".contains(&id[19..20]), "{id}");
            assert!(format!("0.{id}").parse::<Cursor>().is_ok(), "{id}");
        }
    }
}
