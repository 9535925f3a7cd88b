//! Snapshots in the store: how those of many instances that come and go add up.
//!
//! An instance lives for seconds on some platforms, and its id is never seen again; a record for
//! each would pile up until somebody asks for metrics. So there is a fixed number of seats. An
//! instance always takes the same one, `id % SEATS`, and finds one record there: the snapshot of
//! the instance that wrote last, its owner, and the base, which is what earlier owners counted.
//!
//! - The owner replaces its snapshot by its newer one.
//! - Anybody else folds the owner's snapshot into the base, and becomes the owner with what it has
//!   not written yet. An instance that wakes up after that sees another owner and does the same;
//!   what it wrote before is in the base.
//!
//! Every write is a compare-and-swap of the whole record, and no write makes its sum smaller: the
//! sum of all seats never goes backwards, nothing is counted twice, and what was written stays. No
//! list of keys is read, and no key is ever deleted.

use std::cell::RefCell;

use super::Snapshot;
use crate::{
    ports::{Kv, KvError},
    wire::SeatRecord,
};

/// Number of seats: enough that some hundred instances seldom cross at one, few enough to be read
/// for every scrape.
pub const SEATS: u64 = 32;

/// Format version of a record. It is in the key too, so that versions that run side by side do not
/// overwrite each other. Whoever changes the buckets of a metric raises it; counting then begins
/// anew, which Prometheus takes for a restart.
const VERSION: u8 = 1;

/// Swaps that one flush may lose before it waits for its next turn; each means that another
/// instance got through.
const ATTEMPTS: usize = 8;

/// Adds up what all instances have written. Reads [`SEATS`] records.
///
/// Never less than an earlier call gave, as long as the store's reads do not go backwards either.
///
/// # Errors
/// The store cannot be reached.
pub async fn collect(kv: &impl Kv) -> Result<Snapshot, KvError> {
    let mut sum = Snapshot::default();
    for seat in 0..SEATS {
        if let Some(record) = kv.get(&key(seat)).await?.as_deref().and_then(decode) {
            sum.merge(&Snapshot { families: record.base });
            sum.merge(&Snapshot { families: record.snapshot });
        }
    }
    Ok(sum)
}

/// How far an instance's numbers have been written.
#[derive(Debug)]
pub(super) struct Writer {
    instance: u64,
    /// What of them the store has for certain.
    written: Snapshot,
    /// What of them it had when this instance took the seat; `None` before.
    taken_at: Option<Snapshot>,
    /// A swap that may or may not have happened.
    doubt: Option<Doubt>,
}

/// A swap without an answer: the store failed, or the request that waited for it was dropped. It
/// may even happen later, as long as the record is the one that it expects.
#[derive(Debug)]
struct Doubt {
    expected: Option<Vec<u8>>,
    /// What the store has if it happened.
    written: Snapshot,
}

/// A swap that is being tried.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) expected: Option<Vec<u8>>,
    pub(super) new: Vec<u8>,
    written: Snapshot,
    taken_at: Snapshot,
    earlier: Option<Doubt>,
}

impl Writer {
    pub(super) fn new(instance: u64) -> Self {
        Self { instance, written: Snapshot::default(), taken_at: None, doubt: None }
    }

    pub(super) fn key(&self) -> String {
        key(self.instance % SEATS)
    }

    /// The swap that brings `current` into the record `found`; `None` where nothing is new.
    ///
    /// It is in doubt until [`settle`](Self::settle) hears of it.
    pub(super) fn plan(&mut self, found: Option<Vec<u8>>, current: &Snapshot) -> Option<Attempt> {
        let mut seat = found.as_deref().and_then(decode).unwrap_or_default();
        let moved_on = self.doubt.take_if(|doubt| doubt.expected != found);
        let owned = seat.version == VERSION && seat.owner == self.instance;
        if owned {
            // Only this instance writes under its id, so the record itself tells what happened.
            let taken_at = self.taken_at.get_or_insert_with(|| self.written.clone());
            self.written = taken_at.clone();
            self.written.merge(&Snapshot { families: seat.snapshot });
        } else {
            // Others have moved on from a swap in doubt. They may have folded what it wrote, and
            // losing one flush is better than counting it twice.
            if let Some(doubt) = moved_on {
                self.written = doubt.written;
            }
            self.taken_at = None;
            let mut base = Snapshot { families: seat.base };
            base.merge(&Snapshot { families: seat.snapshot });
            seat.base = base.families;
        }
        if current.since(&self.written).is_empty() {
            return None;
        }
        let taken_at = self.taken_at.as_ref().unwrap_or(&self.written).clone();
        let snapshot = current.since(&taken_at).families;
        let record =
            SeatRecord { version: VERSION, owner: self.instance, base: seat.base, snapshot };
        let written = current.clone();
        let doubt = Doubt { expected: found.clone(), written: written.clone() };
        let earlier = self.doubt.replace(doubt);
        Some(Attempt { expected: found, new: encode(&record), written, taken_at, earlier })
    }

    /// Takes note of whether a swap happened.
    pub(super) fn settle(&mut self, attempt: Attempt, happened: bool) {
        if happened {
            (self.written, self.taken_at) = (attempt.written, Some(attempt.taken_at));
            self.doubt = None;
        } else {
            self.doubt = attempt.earlier;
        }
    }
}

/// Writes what is new of `current`, which is asked for anew whenever another instance was quicker.
pub(super) async fn write(
    kv: &impl Kv,
    writer: &RefCell<Writer>,
    current: &RefCell<Snapshot>,
) -> Result<(), KvError> {
    let key = writer.borrow().key();
    for _ in 0..ATTEMPTS {
        let found = kv.get(&key).await?;
        let attempt = writer.borrow_mut().plan(found, &current.borrow());
        let Some(attempt) = attempt else { return Ok(()) };
        let happened = kv.swap(&key, attempt.expected.as_deref(), &attempt.new).await?;
        writer.borrow_mut().settle(attempt, happened);
        if happened {
            return Ok(());
        }
    }
    Err(KvError::Unavailable { reason: format!("{key} is being written to without pause") })
}

fn key(seat: u64) -> String {
    format!("metrics:v{VERSION}:{seat:02}")
}

/// Reads a record; one that is damaged counts as none, for better some numbers than no metrics.
fn decode(record: &[u8]) -> Option<SeatRecord> {
    postcard::from_bytes(record).ok().filter(|seat: &SeatRecord| seat.version == VERSION)
}

fn encode(seat: &SeatRecord) -> Vec<u8> {
    // Writing plain numbers and strings to memory cannot fail; an empty record reads as none.
    postcard::to_stdvec(seat).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::{
        fakes::MemoryKv,
        ports::MAX_VALUE_BYTES,
        telemetry::metrics::{CLARIFICATIONS, MAX_SERIES, TABLE, Values},
    };

    /// A record of version 1, as it was first written.
    const FROZEN: &[u8] =
        b"\x01\x2a\x01\x07a_total\x01\x01x\x01\x05\x01\x07a_total\x01\x01y\x02\xac\x02\x00";

    #[test]
    fn records_of_version_1_are_read() {
        let seat = decode(FROZEN).unwrap();
        assert_eq!((seat.version, seat.owner), (1, 42));
        assert_eq!(seat.base["a_total"]["x"], [5]);
        assert_eq!(seat.snapshot["a_total"]["y"], [300, 0]);
        assert_eq!(encode(&seat), FROZEN);
    }

    #[test]
    fn damaged_records_count_as_none_and_are_replaced() {
        for junk in [b"".as_slice(), b"junk", &FROZEN[..9], b"\x02\x2a\x00\x00"] {
            let kv = MemoryKv::default();
            let writer = RefCell::new(Writer::new(7));
            let current = RefCell::new(Snapshot::default());
            current.borrow_mut().record(&CLARIFICATIONS, &[], 1.0);
            block_on(async {
                kv.set("metrics:v1:07", junk).await.unwrap();
                assert!(collect(&kv).await.unwrap().is_empty());
                write(&kv, &writer, &current).await.unwrap();
                assert_eq!(collect(&kv).await.unwrap(), *current.borrow());
            });
        }
    }

    #[test]
    fn the_fullest_record_fits_the_store() {
        let mut snapshot = Snapshot::default();
        for metric in TABLE {
            let mut all: Vec<Vec<String>> = vec![Vec::new()];
            for label in metric.labels {
                let values: Vec<String> = match label.values {
                    Values::Known(values) => {
                        values.iter().chain(&["other"]).map(|it| (*it).to_owned()).collect()
                    }
                    Values::Open => {
                        (0..MAX_SERIES).map(|it| format!("{it:<40}").replace(' ', "x")).collect()
                    }
                };
                all = all
                    .iter()
                    .flat_map(|begun| {
                        values
                            .iter()
                            .map(|value| [begun.as_slice(), std::slice::from_ref(value)].concat())
                    })
                    .collect();
            }
            for labels in all {
                let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
                // Most of a route's times fall into a few buckets.
                for bound in metric.kind.bounds().iter().step_by(3).chain(&[1.0]) {
                    snapshot.record(metric, &labels, *bound);
                }
            }
        }
        let mut families = snapshot.families;
        for number in families.values_mut().flat_map(|family| family.values_mut()).flatten() {
            *number *= 50_000;
        }
        let base = families.clone();
        let record = SeatRecord { version: 1, owner: u64::MAX, base, snapshot: families };
        let bytes = encode(&record).len();
        assert!(bytes < MAX_VALUE_BYTES, "{bytes}");
    }
}
