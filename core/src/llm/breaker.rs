//! A circuit breaker: a provider that keeps failing is left alone for a while, then tried carefully.
//!
//! A small value without a clock; the instances share it through the store.

use std::time::Duration;

use crate::wire::BreakerRecord;

/// Failures in a row that open it: two may be chance, and each costs a visitor seconds.
const FAILURES: u8 = 5;
/// How long it stays open: most outages that pass by themselves pass within it.
const OPEN: Duration = Duration::from_secs(30);
/// Probes at a time while it is half-open.
const PROBES: u8 = 3;
/// Probes that must succeed before it closes.
const SUCCESSES: u8 = 3;
/// When a probe of which nothing was heard is given up: no request lives longer.
const LEASE: Duration = Duration::from_secs(30);

/// A breaker.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Breaker {
    /// Requests pass.
    Closed {
        /// Failures in a row.
        failures: u8,
    },
    /// None passes.
    Open {
        /// Its end.
        until: Duration,
    },
    /// Probes pass.
    HalfOpen {
        /// Probes that succeeded.
        successes: u8,
        /// Probes under way.
        probes: u8,
        /// When those are over at the latest.
        lease: Duration,
    },
}

/// Where a breaker stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Position {
    /// Requests pass.
    Closed,
    /// Probes pass.
    HalfOpen,
    /// None passes.
    Open,
}

impl Position {
    /// Its name in metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half_open",
            Self::Open => "open",
        }
    }
}

/// How a request that passed came out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The provider did what it should.
    Success,
    /// It did not.
    Failure,
    /// That cannot be told: the request, or a limit, was to blame.
    Neutral,
}

/// How a request passed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Passage {
    Free,
    Probe,
}

impl Default for Breaker {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

impl Breaker {
    /// Returns where it stands.
    pub fn position(&self, now: Duration) -> Position {
        match *self {
            Self::Open { until } if rest(until, now).is_none() => Position::HalfOpen,
            _ => self.last_position(),
        }
    }

    /// Returns where it stood after the last request, however long ago that was.
    pub(super) fn last_position(&self) -> Position {
        match self {
            Self::Closed { .. } => Position::Closed,
            Self::Open { .. } => Position::Open,
            Self::HalfOpen { .. } => Position::HalfOpen,
        }
    }

    /// Lets a request pass, or returns how long until it is worth asking again.
    pub(super) fn admit(&mut self, now: Duration) -> Result<Passage, Duration> {
        let (successes, probes) = match *self {
            Self::Closed { .. } => return Ok(Passage::Free),
            Self::Open { until } => match rest(until, now) {
                Some(wait) => return Err(wait),
                None => (0, 0),
            },
            Self::HalfOpen { successes, probes, lease } => match rest(lease, now) {
                Some(wait) if probes >= PROBES => return Err(wait),
                Some(_) => (successes, probes),
                None => (successes, 0),
            },
        };
        *self = Self::HalfOpen { successes, probes: probes + 1, lease: now + LEASE };
        Ok(Passage::Probe)
    }

    /// Learns how a request came out.
    pub(super) fn record(&mut self, passage: Passage, verdict: Verdict, now: Duration) {
        let opened = Self::Open { until: now + OPEN };
        *self = match (*self, passage, verdict) {
            (Self::Closed { .. }, _, Verdict::Success) => Self::Closed { failures: 0 },
            (Self::Closed { failures }, _, Verdict::Failure) => match failures + 1 {
                FAILURES.. => opened,
                failures => Self::Closed { failures },
            },
            (Self::HalfOpen { .. }, Passage::Probe, Verdict::Failure) => opened,
            (Self::HalfOpen { successes, probes, lease }, Passage::Probe, verdict) => {
                match successes + u8::from(verdict == Verdict::Success) {
                    SUCCESSES.. => Self::Closed { failures: 0 },
                    successes => {
                        Self::HalfOpen { successes, probes: probes.saturating_sub(1), lease }
                    }
                }
            }
            // What passed before it opened tells nothing of how the provider is now.
            (same, _, _) => same,
        };
    }

    pub(super) fn to_record(self) -> BreakerRecord {
        match self {
            Self::Closed { failures } => BreakerRecord::Closed { failures },
            Self::Open { until } => BreakerRecord::Open { until_ms: milliseconds(until) },
            Self::HalfOpen { successes, probes, lease } => {
                BreakerRecord::HalfOpen { successes, probes, lease_ms: milliseconds(lease) }
            }
        }
    }

    pub(super) fn from_record(record: BreakerRecord) -> Self {
        match record {
            BreakerRecord::Closed { failures } => {
                Self::Closed { failures: failures.min(FAILURES - 1) }
            }
            BreakerRecord::Open { until_ms } => {
                Self::Open { until: Duration::from_millis(until_ms) }
            }
            BreakerRecord::HalfOpen { successes, probes, lease_ms } => Self::HalfOpen {
                successes: successes.min(SUCCESSES - 1),
                probes: probes.min(PROBES),
                lease: Duration::from_millis(lease_ms),
            },
        }
    }
}

/// The time until `end`. One further away than any that is set here was set by a clock that was
/// wrong, and is over.
fn rest(end: Duration, now: Duration) -> Option<Duration> {
    end.checked_sub(now).filter(|rest| !rest.is_zero() && *rest <= OPEN.max(LEASE))
}

pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Opened at second 100.
    fn opened() -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..FAILURES {
            let passage = breaker.admit(at(100)).unwrap();
            breaker.record(passage, Verdict::Failure, at(100));
        }
        breaker
    }

    #[test]
    fn five_failures_in_a_row_open_it_for_thirty_seconds() {
        let mut breaker = Breaker::default();
        for round in 0..20 {
            let verdict = if round % 5 == 4 { Verdict::Success } else { Verdict::Failure };
            breaker.record(Passage::Free, verdict, at(1));
            assert_eq!(breaker.position(at(1)), Position::Closed, "a success starts over");
        }
        let mut breaker = opened();
        assert_eq!(breaker.position(at(129)), Position::Open);
        assert_eq!(breaker.admit(at(110)), Err(at(20)));
        assert_eq!(breaker.position(at(130)), Position::HalfOpen);
        assert_eq!(breaker.admit(at(130)), Ok(Passage::Probe));
    }

    #[test]
    fn three_probes_at_a_time_and_three_successes_close_it() {
        let mut breaker = opened();
        for _ in 0..PROBES {
            assert_eq!(breaker.admit(at(130)), Ok(Passage::Probe));
        }
        assert_eq!(breaker.admit(at(131)), Err(at(29)));
        breaker.record(Passage::Probe, Verdict::Success, at(131));
        assert_eq!(breaker.admit(at(131)), Ok(Passage::Probe), "its place is free");
        breaker.record(Passage::Probe, Verdict::Neutral, at(131));
        breaker.record(Passage::Probe, Verdict::Success, at(131));
        assert_eq!(breaker.position(at(131)), Position::HalfOpen);
        breaker.record(Passage::Probe, Verdict::Success, at(132));
        assert_eq!(breaker, Breaker::default());
    }

    #[test]
    fn a_failed_probe_opens_it_again() {
        let mut breaker = opened();
        breaker.admit(at(140)).unwrap();
        breaker.record(Passage::Probe, Verdict::Success, at(141));
        breaker.admit(at(141)).unwrap();
        breaker.record(Passage::Probe, Verdict::Failure, at(142));
        assert_eq!(breaker.admit(at(171)), Err(at(1)));
        assert_eq!(breaker.admit(at(172)), Ok(Passage::Probe));
        assert!(matches!(breaker, Breaker::HalfOpen { successes: 0, probes: 1, .. }));
    }

    #[test]
    fn what_passed_before_it_opened_changes_nothing() {
        for verdict in [Verdict::Success, Verdict::Failure, Verdict::Neutral] {
            let mut breaker = opened();
            let before = breaker;
            breaker.record(Passage::Free, verdict, at(120));
            assert_eq!(breaker, before);
            breaker.admit(at(130)).unwrap();
            let before = breaker;
            breaker.record(Passage::Free, verdict, at(131));
            assert_eq!(breaker, before);
        }
    }

    #[test]
    fn probes_that_are_never_heard_of_again_do_not_block_it() {
        let mut breaker = opened();
        for _ in 0..PROBES {
            breaker.admit(at(130)).unwrap();
        }
        assert!(breaker.admit(at(159)).is_err());
        assert_eq!(breaker.admit(at(160)), Ok(Passage::Probe));
    }

    #[test]
    fn a_clock_that_was_wrong_does_not_keep_it_open() {
        let mut breaker = Breaker::Open { until: at(1_000_000) };
        assert_eq!(breaker.admit(at(100)), Ok(Passage::Probe));
    }

    #[test]
    fn a_record_reads_back() {
        let half = Breaker::HalfOpen { successes: 1, probes: 2, lease: at(9) };
        for breaker in [Breaker::Closed { failures: 4 }, opened(), half] {
            assert_eq!(Breaker::from_record(breaker.to_record()), breaker);
        }
    }
}
