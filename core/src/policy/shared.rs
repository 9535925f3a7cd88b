//! The ledger in the store, changed by compare-and-swap, so that it is exact among instances.

use std::time::Duration;

use super::{
    ledger::{Ledger, Place},
    offenders::{Offender, Offenders},
    tally::Tally,
};
use crate::{
    ports::{Kv, KvError},
    wire::{LedgerRecord, OffenderRecord, PlaceRecord},
};

/// One record for all: a limit across conversations cannot be exact over several.
const KEY: &str = "ledger";
const VERSION: u8 = 1;
/// Tries against other requests. In each round of crossing requests one gets through, so this serves
/// that many at once.
const ATTEMPTS: usize = 200;

/// What changes in one write: the ledger, and the providers' reservations beside it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SharedLedger {
    /// Who has asked how often.
    pub ledger: Ledger,
    /// Providers' reservations, in a format of their own; empty if there are none.
    pub llm: Vec<u8>,
}

/// Why the ledger could not be changed. Questions are then answered without limits and statelessly.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LedgerFault {
    /// Other requests wrote it without pause.
    #[error("the ledger is being written to without pause: {ATTEMPTS} attempts")]
    Contended,
    /// The store failed; nothing was changed.
    #[error(transparent)]
    Store(#[from] KvError),
    /// The store failed while it was written to; it may have been changed all the same.
    #[error("the ledger may have been written or not: {0}")]
    Unconfirmed(KvError),
}

/// Reads the ledger; empty where there is none.
///
/// # Errors
/// [`LedgerFault::Store`].
pub async fn read(kv: &impl Kv) -> Result<SharedLedger, LedgerFault> {
    Ok(kv.get(KEY).await?.map(|bytes| decode(&bytes)).unwrap_or_default())
}

/// Changes the ledger: one read, and one write where `change` changed anything.
///
/// `change` is called again with what others wrote meanwhile, and only its last call counts.
///
/// # Errors
/// [`LedgerFault`]; but for [`LedgerFault::Unconfirmed`] nothing was changed.
pub async fn update<T>(
    kv: &impl Kv,
    mut change: impl FnMut(&mut SharedLedger) -> T,
) -> Result<T, LedgerFault> {
    for _ in 0..ATTEMPTS {
        let before = kv.get(KEY).await?;
        let mut shared = before.as_deref().map(decode).unwrap_or_default();
        let unchanged = shared.clone();
        let outcome = change(&mut shared);
        if shared == unchanged {
            return Ok(outcome);
        }
        let swapped = kv.swap(KEY, before.as_deref(), &encode(&shared)?).await;
        if swapped.map_err(LedgerFault::Unconfirmed)? {
            return Ok(outcome);
        }
    }
    Err(LedgerFault::Contended)
}

/// A record that cannot be read counts as none: limits begin anew, and the next write mends it.
fn decode(bytes: &[u8]) -> SharedLedger {
    let record = postcard::from_bytes::<LedgerRecord>(bytes).unwrap_or_default();
    if record.version != VERSION {
        return SharedLedger::default();
    }
    let LedgerRecord { day, questions, places, offenders, llm, .. } = record;
    let places = places.into_iter().map(|it| Place {
        session: it.session,
        address: it.address,
        tally: Tally { newest: it.newest, counts: it.counts },
    });
    let offenders = offenders.into_iter().map(|it| Offender {
        address: it.address,
        strikes: it.strikes,
        struck: Duration::from_secs(it.struck),
        blocked_until: Duration::from_secs(it.blocked_until),
    });
    let (places, offenders) = (places.collect(), Offenders(offenders.collect()));
    SharedLedger { ledger: Ledger { places, day, questions, offenders }, llm }
}

fn encode(shared: &SharedLedger) -> Result<Vec<u8>, KvError> {
    let SharedLedger { ledger, llm } = shared;
    let places = ledger.places.iter().map(|it| PlaceRecord {
        session: it.session,
        address: it.address,
        newest: it.tally.newest,
        counts: it.tally.counts,
    });
    let offenders = ledger.offenders.0.iter().map(|it| OffenderRecord {
        address: it.address,
        strikes: it.strikes,
        struck: it.struck.as_secs(),
        blocked_until: it.blocked_until.as_secs(),
    });
    let record = LedgerRecord {
        version: VERSION,
        day: ledger.day,
        questions: ledger.questions,
        places: places.collect(),
        offenders: offenders.collect(),
        llm: llm.clone(),
    };
    let encoded = postcard::to_stdvec(&record);
    encoded.map_err(|error| KvError::Unavailable { reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, future::poll_fn, task::Poll};

    use futures::{executor::block_on, future::join_all};

    use super::*;
    use crate::{
        fakes::{MemoryKv, SeededEntropy},
        policy::{Claim, Limit, Limits, Profile, offenders::MAX_OFFENDERS},
        ports::MAX_VALUE_BYTES,
    };

    const NOW: Duration = Duration::from_secs(1_700_000_000);

    fn limits() -> Limits {
        Limits::of(Profile::Production)
    }

    /// A store whose every call lets other requests run first, as often as chance will have it.
    struct SlowKv {
        inner: MemoryKv,
        chance: SeededEntropy,
        writes: Cell<usize>,
        /// Whether it fails when it has written.
        is_cut: Cell<bool>,
    }

    impl SlowKv {
        fn new(seed: u64) -> Self {
            let (inner, chance) = (MemoryKv::default(), SeededEntropy::new(seed));
            Self { inner, chance, writes: Cell::new(0), is_cut: Cell::new(false) }
        }

        async fn wait(&self) {
            let mut turns = self.chance.next() % 4;
            poll_fn(|context| {
                context.waker().wake_by_ref();
                turns = turns.saturating_sub(1);
                if turns == 0 { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }
    }

    impl Kv for SlowKv {
        async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
            self.wait().await;
            self.inner.get(key).await
        }
        async fn set(&self, key: &str, value: &[u8]) -> Result<(), KvError> {
            self.inner.set(key, value).await
        }
        async fn delete(&self, key: &str) -> Result<(), KvError> {
            self.inner.delete(key).await
        }
        async fn list(&self, prefix: &str) -> Result<Vec<String>, KvError> {
            self.inner.list(prefix).await
        }
        async fn swap(&self, key: &str, old: Option<&[u8]>, new: &[u8]) -> Result<bool, KvError> {
            self.wait().await;
            let written = self.inner.swap(key, old, new).await?;
            self.writes.set(self.writes.get() + usize::from(written));
            match self.is_cut.get() {
                true => Err(KvError::Unavailable { reason: "cut off".to_owned() }),
                false => Ok(written),
            }
        }
    }

    #[test]
    fn a_hundred_crossing_claims_on_a_limit_of_ten_admit_ten() {
        let claim = Claim { session: Some(1), address: Some(2) };
        for seed in 0..20 {
            let kv = SlowKv::new(seed);
            let limits = limits();
            let one = || update(&kv, |shared| shared.ledger.claim(claim, &limits, NOW));
            let outcomes = block_on(join_all((0..100).map(|_| one())));
            let outcomes: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
            assert_eq!(outcomes.iter().filter(|it| it.is_ok()).count(), 10, "seed {seed}");
            let refused = outcomes.iter().filter_map(|it| it.as_ref().err());
            assert!(refused.clone().all(|it| it.limit == Limit::SessionHour), "seed {seed}");
            // Ten questions and the one strike of this minute.
            assert_eq!(kv.writes.get(), 11, "seed {seed}");
        }
    }

    #[test]
    fn a_hundred_crossing_sessions_are_all_entered() {
        let kv = SlowKv::new(7);
        let limits = Limits { daily_questions: 90, ..limits() };
        let one = |n| {
            let claim = Claim { session: Some(n), address: Some(n + 1_000) };
            let limits = &limits;
            update(&kv, move |shared| shared.ledger.claim(claim, limits, NOW))
        };
        let outcomes = block_on(join_all((0..100).map(one)));
        assert_eq!(outcomes.iter().filter(|it| matches!(it, Ok(Ok(_)))).count(), 90);
        let shared = block_on(read(&kv)).unwrap();
        assert_eq!(shared.ledger.active_sessions(&limits, NOW), 90);
    }

    #[test]
    fn what_changes_nothing_writes_nothing() {
        let kv = SlowKv::new(1);
        block_on(async {
            assert_eq!(update(&kv, |shared| shared.llm.len()).await, Ok(0));
            assert_eq!(kv.writes.get(), 0);
            update(&kv, |shared| shared.llm = vec![1, 2]).await.unwrap();
            assert_eq!((read(&kv).await.unwrap().llm, kv.writes.get()), (vec![1, 2], 1));
        });
    }

    #[test]
    fn a_write_of_which_nothing_is_heard_may_have_taken_place() {
        let kv = SlowKv::new(1);
        kv.is_cut.set(true);
        let written = block_on(update(&kv, |shared| shared.llm = vec![1]));
        assert!(matches!(written, Err(LedgerFault::Unconfirmed(_))), "{written:?}");
        assert_eq!(block_on(read(&kv)).unwrap().llm, [1]);
    }

    #[test]
    fn a_store_that_is_down_is_an_outcome_and_damage_is_mended() {
        let kv = MemoryKv::default();
        let claim = Claim { session: Some(1), address: None };
        let ask = || block_on(update(&kv, |it| it.ledger.claim(claim, &limits(), NOW)));
        kv.set_down(true);
        assert!(matches!(ask(), Err(LedgerFault::Store(KvError::Unavailable { .. }))));
        kv.set_down(false);
        for damage in [&b""[..], b"\xff", b"\x01junk", b"\x02\0\0\0\0\0"] {
            block_on(kv.set(KEY, damage)).unwrap();
            assert_eq!(block_on(read(&kv)), Ok(SharedLedger::default()), "{damage:?}");
            assert!(ask().unwrap().is_ok());
            assert_ne!(block_on(read(&kv)), Ok(SharedLedger::default()));
        }
    }

    #[test]
    fn version_1_is_read_as_it_was_written() {
        let tally = Tally { newest: 300, counts: [2, 0, 0, 200, 0, 0, 0, 0, 0, 0, 0, 0, 1] };
        let (struck, blocked_until) = (Duration::from_secs(90_000), Duration::from_secs(90_060));
        let offender = Offender { address: 2, strikes: 4, struck, blocked_until };
        let ledger = Ledger {
            places: vec![Place { session: 1, address: 2, tally }],
            day: 1,
            questions: 203,
            offenders: Offenders(vec![offender]),
        };
        let shared = SharedLedger { ledger, llm: vec![9] };
        let frozen =
            b"\x01\x01\xcb\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\
            \x00\xac\x02\x02\x00\x00\xc8\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01\x02\x00\
            \x00\x00\x00\x00\x00\x00\x04\x90\xbf\x05\xcc\xbf\x05\x01\x09";
        assert_eq!(encode(&shared).unwrap(), frozen);
        assert_eq!(decode(frozen), shared);
    }

    #[test]
    fn the_largest_ledger_fits_a_value() {
        let tally = Tally { newest: u32::MAX, counts: [u16::MAX; 13] };
        let place = |n| Place { session: n, address: u64::MAX, tally };
        let far = Duration::from_secs(u64::from(u32::MAX));
        let offender = Offender { address: 1, strikes: u8::MAX, struck: far, blocked_until: far };
        let ledger = Ledger {
            places: (0..4_000).map(place).collect(),
            day: 1 << 20,
            questions: u32::MAX,
            offenders: Offenders(vec![offender; MAX_OFFENDERS]),
        };
        let shared = SharedLedger { ledger, llm: vec![7; 8_192] };
        let bytes = encode(&shared).unwrap();
        assert!(bytes.len() <= MAX_VALUE_BYTES, "{}", bytes.len());
        assert_eq!(decode(&bytes), shared);
        // An ordinary one is small: what a thousand conversations of two questions take.
        let mut ledger = Ledger::default();
        for n in 0..2_000 {
            let claim = Claim { session: Some(n % 1_000), address: Some(n % 500 + 1_000_000) };
            ledger.claim(claim, &limits(), NOW).unwrap();
        }
        let bytes = encode(&SharedLedger { ledger, llm: Vec::new() }).unwrap();
        assert!(bytes.len() < 35_000, "{}", bytes.len());
    }
}
