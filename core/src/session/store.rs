//! A conversation in the key-value store.

use std::time::Duration;

use crate::{
    ports::{Entropy, Kv, KvError},
    wire::{SessionRecord, TurnRecord},
};

/// Turns kept; older ones are forgotten.
pub const MAX_TURNS: usize = 8;
/// Life of a conversation after its last turn.
pub const TTL: Duration = Duration::from_secs(6 * 3_600);
/// Characters of an answer that are kept.
const ANSWER_CHARS: usize = 600;
/// Longest id that a client may choose.
const MAX_ID: usize = 64;
const VERSION: u8 = 1;
/// Tries against other requests of the same conversation.
const ATTEMPTS: usize = 5;

/// A conversation as this request found it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// Its turns, oldest first.
    pub turns: Vec<TurnRecord>,
}

/// Whether a client may use `id`: 1 to 64 of `[A-Za-z0-9_-]`.
pub fn is_id(id: &str) -> bool {
    (1..=MAX_ID).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

/// Makes an id that cannot be guessed: 128 random bits in hexadecimal.
pub fn new_id(entropy: &impl Entropy) -> String {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Session {
    /// Loads the conversation `id`; one that is unknown, expired or unreadable starts empty.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub async fn load(kv: &impl Kv, id: &str, now: Duration) -> Result<Self, KvError> {
        let record = kv.get(&key(id)).await?;
        let turns = record.map(|record| live(&record, now)).unwrap_or_default();
        Ok(Self { id: id.to_owned(), turns })
    }

    /// Appends a turn, exactly once even when requests of the same conversation cross.
    ///
    /// # Errors
    /// The store cannot be reached, or the conversation is written to without pause.
    pub async fn append(
        kv: &impl Kv,
        id: &str,
        turn: TurnRecord,
        now: Duration,
    ) -> Result<(), KvError> {
        let answer = turn.answer.chars().take(ANSWER_CHARS).collect();
        let turn = TurnRecord { answer, ..turn };
        for _ in 0..ATTEMPTS {
            let before = kv.get(&key(id)).await?;
            let mut turns = before.as_deref().map(|record| live(record, now)).unwrap_or_default();
            turns.push(turn.clone());
            turns.drain(..turns.len().saturating_sub(MAX_TURNS));
            let record =
                SessionRecord { version: VERSION, expires_at: (now + TTL).as_secs(), turns };
            let record = serde_json::to_vec(&record)
                .map_err(|error| KvError::Unavailable { reason: error.to_string() })?;
            if kv.swap(&key(id), before.as_deref(), &record).await? {
                return Ok(());
            }
        }
        Err(KvError::Unavailable { reason: "the conversation is being written to".to_owned() })
    }
}

fn key(id: &str) -> String {
    format!("session:{id}")
}

fn live(record: &[u8], now: Duration) -> Vec<TurnRecord> {
    match serde_json::from_slice::<SessionRecord>(record) {
        Ok(record) if record.version == VERSION && record.expires_at > now.as_secs() => {
            record.turns
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::fakes::{MemoryKv, SeededEntropy};

    fn turn(question: &str) -> TurnRecord {
        TurnRecord { question: question.to_owned(), answer: "a".repeat(2_000) }
    }

    #[test]
    fn keeps_the_last_turns_until_they_expire() {
        let kv = MemoryKv::default();
        let start = Duration::from_secs(1_000);
        block_on(async {
            for n in 0..=MAX_TURNS {
                Session::append(&kv, "s", turn(&n.to_string()), start).await.unwrap();
            }
            let session = Session::load(&kv, "s", start).await.unwrap();
            assert_eq!((session.turns.len(), session.turns[0].question.as_str()), (MAX_TURNS, "1"));
            assert_eq!(session.turns[0].answer.len(), ANSWER_CHARS);
            assert!(Session::load(&kv, "other", start).await.unwrap().turns.is_empty());
            assert!(Session::load(&kv, "s", start + TTL).await.unwrap().turns.is_empty());
            kv.set("session:s", b"junk").await.unwrap();
            assert!(Session::load(&kv, "s", start).await.unwrap().turns.is_empty());
        });
    }

    #[test]
    fn ids() {
        assert!(is_id("a-B_9") && !is_id("") && !is_id("a.b") && !is_id(&"x".repeat(65)));
        let entropy = SeededEntropy::new(1);
        let (first, second) = (new_id(&entropy), new_id(&entropy));
        assert!(is_id(&first) && first.len() == 32 && first != second);
    }
}
