//! A conversation in the key-value store.

use std::time::Duration;

use super::SessionKey;
use crate::{
    policy::Limits,
    ports::{Kv, KvError},
    wire::{SessionRecord, TurnRecord},
};

/// Characters of an answer that are kept: what a follow-up can lean on.
const ANSWER_CHARS: usize = 600;
const VERSION: u8 = 2;
/// Tries against other requests of the same conversation.
const ATTEMPTS: usize = 20;

/// A conversation as this request found it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Session {
    /// Its last turns, oldest first.
    pub turns: Vec<TurnRecord>,
    /// Questions answered in it so far, those that are forgotten included.
    pub questions: u32,
    /// When it began, as time since the Unix epoch; zero for one that is new.
    pub started: Duration,
}

impl Session {
    /// Loads a conversation; one that is unknown, expired or unreadable starts empty.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub async fn load(kv: &impl Kv, key: &SessionKey, now: Duration) -> Result<Self, KvError> {
        let record = kv.get(key.record()).await?;
        let record = record.and_then(|record| live(&record, now)).unwrap_or_default();
        let started = Duration::from_secs(record.started_at);
        Ok(Self { turns: record.turns, questions: record.questions, started })
    }

    /// The turns to look at: the newest that are within the limits, oldest first, at least one.
    ///
    /// `tokens` counts those of a text.
    pub fn history(&self, limits: &Limits, tokens: impl Fn(&str) -> usize) -> &[TurnRecord] {
        if limits.history_turns == 0 {
            return &[];
        }
        let mut spent: usize = 0;
        let fits = |turn: &&TurnRecord| {
            let first = spent == 0;
            spent = spent.saturating_add(tokens(turn.alone()) + tokens(&turn.answer)).max(1);
            first || spent <= limits.history_tokens
        };
        let kept = self.turns.iter().rev().take(limits.history_turns).take_while(fits).count();
        self.turns.get(self.turns.len() - kept..).unwrap_or_default()
    }

    /// Appends a turn, exactly once even when requests of the same conversation cross, and grants
    /// the conversation another life.
    ///
    /// # Errors
    /// The store cannot be reached, or the conversation is written to without pause.
    pub async fn append(
        kv: &impl Kv,
        key: &SessionKey,
        turn: TurnRecord,
        limits: &Limits,
        now: Duration,
    ) -> Result<(), KvError> {
        let answer = turn.answer.chars().take(ANSWER_CHARS).collect();
        let turn = TurnRecord { answer, ..turn };
        for _ in 0..ATTEMPTS {
            let before = kv.get(key.record()).await?;
            let mut record =
                before.as_deref().and_then(|record| live(record, now)).unwrap_or_else(|| {
                    SessionRecord { started_at: now.as_secs(), ..SessionRecord::default() }
                });
            record.version = VERSION;
            record.expires_at = (now + limits.session_ttl).as_secs();
            record.questions = record.questions.saturating_add(1);
            record.turns.push(turn.clone());
            record.turns.drain(..record.turns.len().saturating_sub(limits.history_turns));
            let record = serde_json::to_vec(&record)
                .map_err(|error| KvError::Unavailable { reason: error.to_string() })?;
            if kv.swap(key.record(), before.as_deref(), &record).await? {
                return Ok(());
            }
        }
        Err(KvError::Unavailable { reason: "the conversation is being written to".to_owned() })
    }
}

fn live(record: &[u8], now: Duration) -> Option<SessionRecord> {
    let record: SessionRecord = serde_json::from_slice(record).ok()?;
    (record.version == VERSION && record.expires_at > now.as_secs()).then_some(record)
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::{auth::Visitor, fakes::MemoryKv, policy::Profile};

    fn turn(question: &str) -> TurnRecord {
        TurnRecord { question: question.to_owned(), answer: "a".repeat(2_000), about: None }
    }

    fn limits() -> Limits {
        Limits { history_turns: 5, ..Limits::of(Profile::Production) }
    }

    #[test]
    fn keeps_the_last_turns_until_they_expire() {
        let (kv, limits) = (MemoryKv::default(), limits());
        let start = Duration::from_secs(1_000);
        let end = start + limits.session_ttl;
        let key = |id| SessionKey::new(id, Visitor::default());
        block_on(async {
            for n in 0..7 {
                let turn = turn(&n.to_string());
                Session::append(&kv, &key("s"), turn, &limits, start).await.unwrap();
            }
            let session = Session::load(&kv, &key("s"), start).await.unwrap();
            assert_eq!((session.turns.len(), session.turns[0].question.as_str()), (5, "2"));
            assert_eq!((session.questions, session.started), (7, start));
            assert_eq!(session.turns[0].answer.len(), ANSWER_CHARS);
            let empty = Session::default();
            assert_eq!(Session::load(&kv, &key("other"), start).await.unwrap(), empty);
            assert_eq!(Session::load(&kv, &key("s"), end).await.unwrap(), empty);
            Session::append(&kv, &key("s"), turn("new"), &limits, end).await.unwrap();
            let session = Session::load(&kv, &key("s"), end).await.unwrap();
            assert_eq!((session.questions, session.turns.len(), session.started), (1, 1, end));
            // Records of version 1 had fewer fields; like damage they count as none.
            let old = br#"{"version":1,"expires_at":9999,"turns":[]}"#;
            for unreadable in [&b"junk"[..], old] {
                kv.set(key("s").record(), unreadable).await.unwrap();
                assert_eq!(Session::load(&kv, &key("s"), start).await.unwrap(), empty);
            }
        });
    }

    #[test]
    fn an_id_that_is_known_elsewhere_opens_nothing() {
        let (kv, limits) = (MemoryKv::default(), limits());
        let now = Duration::from_secs(1_000);
        let key = |address| SessionKey::new("planted", Visitor { address: Some(address) });
        block_on(async {
            Session::append(&kv, &key(1), turn("victim"), &limits, now).await.unwrap();
            assert_eq!(Session::load(&kv, &key(2), now).await.unwrap(), Session::default());
            Session::append(&kv, &key(2), turn("attacker"), &limits, now).await.unwrap();
            let turns = Session::load(&kv, &key(1), now).await.unwrap().turns;
            assert_eq!((turns.len(), turns[0].question.as_str()), (1, "victim"));
        });
    }

    #[test]
    fn history_is_bounded_by_turns_and_tokens() {
        let words = |text: &str| text.split_whitespace().count();
        let turns = ["one", "two two", "three three three", "four four four four"];
        let turns = turns.map(|it| TurnRecord { question: it.to_owned(), ..TurnRecord::default() });
        let session = Session { turns: turns.into(), ..Session::default() };
        let check = |history_turns, history_tokens, kept: usize| {
            let limits = Limits { history_turns, history_tokens, ..limits() };
            let history = session.history(&limits, words);
            assert_eq!(history, &session.turns[4 - kept..], "{history_turns} {history_tokens}");
        };
        check(5, 200, 4);
        check(2, 200, 2);
        check(5, 9, 3);
        check(5, 8, 2);
        check(5, 0, 1);
        check(0, 200, 0);
        assert_eq!(Session::default().history(&limits(), words), &[]);
    }
}
