//! How many queries fell into the last hour, in a few bytes.
//!
//! Five-minute slots, the one that has begun and the twelve before it. All thirteen are counted, so
//! the window is between 60 and 65 minutes long and never shorter than an hour: whoever is admitted
//! while fewer than N are counted is never admitted more than N times in any hour.

use std::time::Duration;

/// Length of a slot in seconds.
const SLOT_SECONDS: u64 = 300;
/// An hour of whole slots and the one that has begun.
pub(crate) const SLOTS: usize = 13;

/// Queries by slot.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Tally {
    /// The slot of the last query, counted from the Unix epoch.
    pub(crate) newest: u32,
    /// Queries in the newest slot, the one before it, and so on.
    pub(crate) counts: [u16; SLOTS],
}

impl Tally {
    /// Counts a query.
    pub(crate) fn add(&mut self, now: Duration) {
        let slot = slot(now);
        if !near(self.newest, slot) {
            *self = Self { newest: slot, ..Self::default() };
        }
        // Another instance's clock may be ahead; its slot is good enough.
        let passed = slot.saturating_sub(self.newest) as usize;
        self.counts.rotate_right(passed);
        self.counts[..passed].fill(0);
        self.newest = self.newest.max(slot);
        self.counts[0] = self.counts[0].saturating_add(1);
    }

    /// Queries in the last hour, or up to five minutes more.
    pub(crate) fn count(&self, now: Duration) -> u32 {
        self.live(now).map(|(_, count)| u32::from(count)).sum()
    }

    /// Whether the last query fell out of the window at least `longer` ago, or came from a clock that
    /// was wrong by more than an hour.
    pub(crate) fn idle_for(&self, longer: Duration, now: Duration) -> bool {
        now >= out_at(self.newest) + longer || u64::from(self.newest) >= slots(now) + SLOTS as u64
    }

    /// How long from `now` until the last query falls out of the window.
    pub(crate) fn idle_in(&self, now: Duration) -> Duration {
        out_at(self.newest).saturating_sub(now)
    }

    fn live(&self, now: Duration) -> impl Iterator<Item = (u32, u16)> {
        let (newest, current) = (self.newest, slot(now));
        let slots = (0..SLOTS as u32).map(move |age| newest.saturating_sub(age));
        slots.zip(self.counts).filter(move |(at, count)| *count > 0 && near(*at, current))
    }
}

/// How long from `now` until fewer than `limit` queries are counted in `tallies` together.
pub(crate) fn opens_in<'a>(
    tallies: impl Iterator<Item = &'a Tally>,
    limit: u32,
    now: Duration,
) -> Duration {
    let mut live: Vec<(u32, u16)> = tallies.flat_map(|tally| tally.live(now)).collect();
    live.sort_unstable();
    let mut left: u32 = live.iter().map(|(_, count)| u32::from(*count)).sum();
    for (at, count) in live {
        if left < limit {
            break;
        }
        left -= u32::from(count);
        if left < limit {
            return out_at(at).saturating_sub(now);
        }
    }
    Duration::ZERO
}

/// The slot of `now`.
fn slot(now: Duration) -> u32 {
    u32::try_from(slots(now)).unwrap_or(u32::MAX)
}

fn slots(now: Duration) -> u64 {
    now.as_secs() / SLOT_SECONDS
}

/// When a query of slot `at` is no longer counted.
fn out_at(at: u32) -> Duration {
    Duration::from_secs((u64::from(at) + SLOTS as u64) * SLOT_SECONDS)
}

fn near(one: u32, other: u32) -> bool {
    (one.abs_diff(other) as usize) < SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 300_000;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(START + seconds)
    }

    fn tally(queries: &[u64]) -> Tally {
        let mut tally = Tally::default();
        queries.iter().for_each(|query| tally.add(at(*query)));
        tally
    }

    #[test]
    fn counts_an_hour_and_at_most_five_minutes_more() {
        let check = |queries: &[u64], now, expected| {
            assert_eq!(tally(queries).count(at(now)), expected, "{queries:?} at {now}");
        };
        check(&[], 0, 0);
        check(&[0, 0, 299], 0, 3);
        check(&[299], 3_899, 1);
        check(&[299], 3_900, 0);
        check(&[0], 3_600, 1);
        check(&[0], 3_900, 0);
        check(&[0, 3_600, 7_200], 7_200, 2);
        check(&[0, 100_000], 100_000, 1);
        // A clock that was set back, by a little and by far.
        check(&[3_000, 0], 0, 2);
        check(&[3_000], 0, 1);
        check(&[8_000, 0], 0, 1);
        check(&[8_000], 0, 0);
    }

    #[test]
    fn says_when_the_window_opens() {
        let check = |queries: &[u64], limit, now, expected| {
            let opens = opens_in([tally(queries)].iter(), limit, at(now));
            assert_eq!(opens.as_secs(), expected, "{queries:?} {limit} at {now}");
        };
        check(&[0, 10], 3, 20, 0);
        check(&[0, 10], 2, 20, 3_880);
        check(&[0, 10, 600], 2, 700, 3_200);
        check(&[0, 10, 600], 1, 700, 3_800);
    }

    #[test]
    fn knows_when_nothing_is_left_of_a_query() {
        let (tally, hour) = (tally(&[0]), Duration::from_secs(3_600));
        assert!(!tally.idle_for(Duration::ZERO, at(3_899)));
        assert!(tally.idle_for(Duration::ZERO, at(3_900)) && !tally.idle_for(hour, at(3_900)));
        assert!(tally.idle_for(hour, at(7_500)));
        assert!(tally.idle_for(hour, Duration::ZERO), "a clock far ahead is not believed");
    }
}
