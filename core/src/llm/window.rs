//! Requests and tokens over a span that slides with the time.
//!
//! A span is counted in slots, and one more than it needs: whatever happened in the last `SECONDS *
//! (SLOTS - 1)` seconds lies in the window, wherever in a slot it began. So a sum that never passes
//! a limit passes it in no stretch of that length.

use std::time::Duration;

use crate::wire::WindowRecord;

/// The last minute.
pub(super) type Minute = Window<10, 7>;
/// The last 24 hours.
pub(super) type Day = Window<3600, 25>;

/// What is counted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Count {
    pub(super) requests: u64,
    pub(super) tokens: u64,
}

/// Counts in slots of `SECONDS`, newest first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Window<const SECONDS: u64, const SLOTS: usize> {
    slot: u64,
    counts: [Count; SLOTS],
}

impl<const SECONDS: u64, const SLOTS: usize> Default for Window<SECONDS, SLOTS> {
    fn default() -> Self {
        Self { slot: 0, counts: [Count::default(); SLOTS] }
    }
}

impl<const SECONDS: u64, const SLOTS: usize> Window<SECONDS, SLOTS> {
    /// Lets go of what is too old. A clock that was set back changes nothing.
    pub(super) fn advance(&mut self, now: Duration) {
        let slot = now.as_secs() / SECONDS;
        let by = slot.saturating_sub(self.slot).min(SLOTS as u64) as usize;
        self.slot = self.slot.max(slot);
        self.counts.rotate_right(by);
        self.counts[..by].fill(Count::default());
    }

    /// Counts in the newest slot, and returns its number.
    pub(super) fn add(&mut self, count: Count) -> u64 {
        let [newest, ..] = &mut self.counts[..] else { return self.slot };
        newest.requests = newest.requests.saturating_add(count.requests);
        newest.tokens = newest.tokens.saturating_add(count.tokens);
        self.slot
    }

    /// Puts `used` in the place of what was `reserved` in `slot`, if that is still in the window.
    pub(super) fn replace(&mut self, slot: u64, reserved: Count, used: Count) {
        let age = self.slot.checked_sub(slot).and_then(|age| usize::try_from(age).ok());
        let Some(count) = age.and_then(|age| self.counts.get_mut(age)) else { return };
        let swap = |there: u64, reserved: u64, used: u64| {
            there.saturating_sub(reserved).saturating_add(used)
        };
        count.requests = swap(count.requests, reserved.requests, used.requests);
        count.tokens = swap(count.tokens, reserved.tokens, used.tokens);
    }

    /// Everything in the window.
    pub(super) fn sum(&self) -> Count {
        self.counts.iter().fold(Count::default(), |sum, count| Count {
            requests: sum.requests.saturating_add(count.requests),
            tokens: sum.tokens.saturating_add(count.tokens),
        })
    }

    /// How long until what `of` a count is in the window is `most` or less, if nothing is added.
    pub(super) fn wait(&self, now: Duration, most: u64, of: impl Fn(&Count) -> u64) -> Duration {
        let mut kept = 0u64;
        let mut age = 0;
        for count in &self.counts {
            kept = kept.saturating_add(of(count));
            if kept > most {
                break;
            }
            age += 1;
        }
        // The slot of this age must leave, which it does when it is as old as there are slots.
        let leaves = (self.slot + SLOTS as u64).saturating_sub(age) * SECONDS;
        Duration::from_secs(leaves).saturating_sub(now)
    }

    pub(super) fn to_record(&self) -> WindowRecord {
        let counts = self.counts.iter().map(|count| (count.requests, count.tokens));
        let mut counts: Vec<(u64, u64)> = counts.collect();
        while counts.last() == Some(&(0, 0)) {
            counts.pop();
        }
        WindowRecord { slot: self.slot, counts }
    }

    pub(super) fn from_record(record: &WindowRecord) -> Self {
        let mut window = Self { slot: record.slot, ..Self::default() };
        for (count, (requests, tokens)) in window.counts.iter_mut().zip(&record.counts) {
            *count = Count { requests: *requests, tokens: *tokens };
        }
        window
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(requests: u64, tokens: u64) -> Count {
        Count { requests, tokens }
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_is_older_than_the_span_is_let_go_and_nothing_younger() {
        let mut window = Minute::default();
        window.advance(at(1009));
        window.add(count(1, 10));
        let seen = |window: &mut Minute, seconds| {
            window.advance(at(seconds));
            window.sum().requests
        };
        assert_eq!(seen(&mut window, 1009 + 60), 1);
        assert_eq!(seen(&mut window, 1009 + 61), 0);
        window.add(count(1, 10));
        assert_eq!(seen(&mut window, 3), 1, "a clock that was set back changes nothing");
        assert_eq!(seen(&mut window, 1_000_000), 0);
    }

    #[test]
    fn what_was_reserved_is_replaced_as_long_as_it_is_there() {
        let mut window = Minute::default();
        window.advance(at(1000));
        let slot = window.add(count(2, 500));
        window.advance(at(1030));
        window.add(count(1, 100));
        window.replace(slot, count(2, 500), count(1, 120));
        assert_eq!(window.sum(), count(2, 220));
        window.advance(at(1070));
        window.replace(slot, count(1, 120), count(0, 0));
        assert_eq!(window.sum(), count(1, 100));
        window.replace(slot + 1000, count(1, 100), count(0, 0));
        assert_eq!(window.sum(), count(1, 100));
    }

    #[test]
    fn the_wait_is_exact() {
        let mut window = Minute::default();
        for (seconds, tokens) in [(1000, 50), (1020, 30), (1040, 20)] {
            window.advance(at(seconds));
            window.add(count(1, tokens));
        }
        let now = at(1045);
        for most in [0, 19, 20, 49, 50, 99] {
            let wait = window.wait(now, most, |count| count.tokens);
            let mut later = window.clone();
            later.advance(now + wait);
            assert!(later.sum().tokens <= most, "{most}");
            let mut sooner = window.clone();
            sooner.advance(now + wait - Duration::from_millis(1));
            assert!(sooner.sum().tokens > most, "{most}");
        }
    }

    #[test]
    fn a_record_reads_back_whatever_its_length() {
        let mut window = Day::default();
        window.advance(at(7_200_000));
        window.add(count(3, 4));
        let record = window.to_record();
        assert_eq!(record, WindowRecord { slot: 2000, counts: vec![(3, 4)] });
        assert_eq!(Day::from_record(&record), window);
        let long = WindowRecord { slot: 1, counts: vec![(1, 1); 100] };
        assert_eq!(Day::from_record(&long).sum(), count(25, 25));
    }
}
