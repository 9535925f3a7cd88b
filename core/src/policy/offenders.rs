//! Addresses that keep coming although they were told to wait, and how long each waits for that.
//!
//! Being refused costs an address nothing by itself. Coming back within the wait earns a strike, at
//! most one a minute, and from the fourth on each doubles the wait.

use std::time::Duration;

/// An address gets at most one strike in this time. A strike is a write by a request that is refused,
/// and this bounds them; only addresses that were admitted until a limit of their own was used up
/// can get one, so that the day's limit bounds how many such addresses there are.
const STRIKE_EVERY: Duration = Duration::from_secs(60);
/// Strikes without consequence: a person who tries again now and then.
const FREE_STRIKES: u8 = 3;
/// First wait beyond the limit's own; each further strike doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(60);
/// Longest such wait: the window of the limits themselves.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);
/// Strikes are forgotten after this time without one; longer than the longest wait, or waiting it out
/// would clear them.
const FORGIVEN_AFTER: Duration = Duration::from_secs(2 * 3_600);
/// Offenders remembered; beyond that the one with the oldest strike is forgotten. Some 15 bytes each.
pub(super) const MAX_OFFENDERS: usize = 128;

/// The addresses with strikes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Offenders(pub(super) Vec<Offender>);

/// One of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Offender {
    pub(super) address: u64,
    pub(super) strikes: u8,
    pub(super) struck: Duration,
    pub(super) blocked_until: Duration,
}

impl Offenders {
    /// How long `address` has to wait beyond any limit.
    pub(super) fn wait(&self, address: Option<u64>, now: Duration) -> Duration {
        let offender = self.0.iter().find(|it| Some(it.address) == address);
        let left = offender.map(|it| it.blocked_until.saturating_sub(now)).unwrap_or_default();
        // More can only come from a clock that was wrong.
        if left > LONGEST_WAIT { Duration::ZERO } else { left }
    }

    /// Notes that `address` came although a limit of its own is used up; changes nothing where it got
    /// a strike less than a minute ago.
    pub(super) fn strike(&mut self, address: u64, now: Duration) {
        if let Some(known) = self.0.iter_mut().find(|it| it.address == address) {
            return known.strike(now);
        }
        if self.0.len() >= MAX_OFFENDERS {
            let oldest = self.0.iter().enumerate().min_by_key(|(_, it)| it.struck);
            oldest.map(|(at, _)| at).map(|at| self.0.swap_remove(at));
        }
        let blocked_until = Duration::ZERO;
        self.0.push(Offender { address, strikes: 1, struck: now, blocked_until });
    }

    /// Forgets who has been quiet.
    pub(super) fn sweep(&mut self, now: Duration) {
        self.0.retain(|offender| !offender.is_forgiven(now));
    }
}

impl Offender {
    fn is_forgiven(&self, now: Duration) -> bool {
        now.abs_diff(self.struck) >= FORGIVEN_AFTER
    }

    fn strike(&mut self, now: Duration) {
        if self.is_forgiven(now) {
            self.strikes = 0;
        } else if now < self.struck + STRIKE_EVERY {
            return;
        }
        self.strikes = self.strikes.saturating_add(1);
        self.struck = now;
        if let Some(doublings) = self.strikes.checked_sub(FREE_STRIKES + 1) {
            let wait = FIRST_WAIT * 2_u32.pow(u32::from(doublings).min(6));
            self.blocked_until = now + wait.min(LONGEST_WAIT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(1_000_000 + seconds)
    }

    #[test]
    fn the_fourth_strike_costs_a_minute_and_each_further_one_twice_as_much() {
        let mut offenders = Offenders::default();
        let waits: Vec<u64> = (0..12)
            .map(|minute| {
                let now = at(60 * minute);
                offenders.strike(1, now);
                offenders.wait(Some(1), now).as_secs()
            })
            .collect();
        assert_eq!(waits, [0, 0, 0, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600]);
        let last = 60 * 11;
        assert_eq!(offenders.wait(Some(1), at(last + 3_600)), Duration::ZERO);
        assert_eq!(offenders.wait(Some(2), at(last)), Duration::ZERO);
        assert_eq!(offenders.wait(None, at(last)), Duration::ZERO);
        // Quiet for two hours, it begins from nothing.
        offenders.sweep(at(last + 7_199));
        assert_eq!(offenders.0.len(), 1);
        offenders.strike(1, at(last + 7_200));
        assert_eq!(offenders.0[0].strikes, 1);
        offenders.sweep(at(last + 14_400));
        assert_eq!(offenders, Offenders::default());
    }

    #[test]
    fn within_a_minute_nothing_changes() {
        let mut offenders = Offenders::default();
        (1..=3).for_each(|address| offenders.strike(address, at(address)));
        let before = offenders.clone();
        for address in [2, 1, 3, 3, 1] {
            offenders.strike(address, at(60));
            assert_eq!(offenders, before);
        }
        offenders.strike(1, at(61));
        assert_ne!(offenders, before);
    }

    #[test]
    fn the_list_is_bounded_and_a_wrong_clock_blocks_nobody_for_long() {
        let mut offenders = Offenders::default();
        (0..300).for_each(|address| offenders.strike(address, at(address)));
        assert_eq!(offenders.0.len(), MAX_OFFENDERS);
        assert!(offenders.0.iter().all(|it| it.address >= 172));
        (0..9).for_each(|minute| offenders.strike(7, at(100_000_000 + 60 * minute)));
        assert!(offenders.wait(Some(7), at(100_000_480)) > Duration::ZERO);
        assert_eq!(offenders.wait(Some(7), at(300)), Duration::ZERO);
    }
}
