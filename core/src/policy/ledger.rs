//! Who has asked how often: the one account that every question is entered in before it is answered.
//!
//! A pure state machine; [`update`](super::update) makes it exact among instances. A refused question
//! is not entered, so it takes nothing from anybody and lengthens no window.

use std::time::Duration;

use super::{
    Limit, Limits, Quota, Refusal, Standing,
    offenders::Offenders,
    tally::{Tally, opens_in},
};

const DAY_SECONDS: u64 = 86_400;

/// Whose question it is, as hashes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Claim {
    /// The conversation; `None` for what has none, such as a search.
    pub session: Option<u64>,
    /// The client's address; `None` where the platform does not tell, and then limits of addresses
    /// do not apply.
    pub address: Option<u64>,
}

/// Conversations with their last hour, the day's count, and who keeps coming although refused.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Ledger {
    pub(super) places: Vec<Place>,
    pub(super) day: u64,
    pub(super) questions: u32,
    pub(super) offenders: Offenders,
}

/// A conversation of an address, or with `session == address` its questions outside of any.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Place {
    pub(super) session: u64,
    pub(super) address: u64,
    pub(super) tally: Tally,
}

impl Place {
    fn is_conversation(&self) -> bool {
        self.session != self.address
    }
}

impl Ledger {
    /// Whether a question would be admitted; enters nothing.
    ///
    /// # Errors
    /// The [`Refusal`] that [`Ledger::claim`] would give.
    pub fn check(&self, claim: Claim, limits: &Limits, now: Duration) -> Result<(), Refusal> {
        let blocked = self.offenders.wait(claim.address, now);
        match self.within(claim, limits, now) {
            Err(refusal) => Err(Refusal { wait: refusal.wait.max(blocked), ..refusal }),
            Ok(()) if blocked.is_zero() => Ok(()),
            Ok(()) => Err(Refusal { limit: Limit::BackOff, allowed: 0, wait: blocked }),
        }
    }

    fn within(&self, claim: Claim, limits: &Limits, now: Duration) -> Result<(), Refusal> {
        let refuse = |limit, allowed, wait| Err(Refusal { limit, allowed, wait });
        if limits.daily_questions > 0 && self.today(now).1 >= limits.daily_questions {
            return refuse(Limit::Day, limits.daily_questions, until_midnight(now));
        }
        let Some((session, address)) = place_of(claim) else { return Ok(()) };
        let existing = self.place(session, address);
        if claim.session.is_some()
            && let allowed @ 1.. = limits.session_queries_per_hour
            && existing.is_some_and(|place| place.tally.count(now) >= allowed)
        {
            let wait = opens_in(existing.map(|place| &place.tally).into_iter(), allowed, now);
            return refuse(Limit::SessionHour, allowed, wait);
        }
        if claim.address.is_some()
            && let allowed @ 1.. = limits.address_queries_per_hour
            && self.asked_by(address, now) >= allowed
        {
            let wait = opens_in(self.of(address).map(|place| &place.tally), allowed, now);
            return refuse(Limit::AddressHour, allowed, wait);
        }
        if existing.is_some() {
            return Ok(());
        }
        if claim.session.is_some()
            && claim.address.is_some()
            && let allowed @ 1.. = limits.sessions_per_address
            && let Some(wait) = room_in(self.conversations_of(address), allowed, now)
        {
            return refuse(Limit::AddressSessions, allowed, wait);
        }
        match room_in(self.places.iter(), limits.sessions_total, now) {
            Some(wait) => refuse(Limit::Sessions, limits.sessions_total, wait),
            None => Ok(()),
        }
    }

    /// Admits a question and enters it.
    ///
    /// # Errors
    /// A [`Refusal`]; then nothing is entered, but now and then a strike against an address that does
    /// not wait.
    pub fn claim(
        &mut self,
        claim: Claim,
        limits: &Limits,
        now: Duration,
    ) -> Result<Standing, Refusal> {
        if let Err(refusal) = self.check(claim, limits, now) {
            return Err(self.refuse(claim, refusal, now));
        }
        self.sweep(limits, now);
        (self.day, self.questions) = self.today(now);
        self.questions += 1;
        self.enter(claim, limits, now);
        Ok(self.standing(claim, limits, now))
    }

    /// Conversations that have not expired.
    pub fn active_sessions(&self, limits: &Limits, now: Duration) -> usize {
        let active = |place: &&Place| place.is_conversation() && !expired(place, limits, now);
        self.places.iter().filter(active).count()
    }

    /// What is left of each limit for the next question of the same kind.
    pub fn standing(&self, claim: Claim, limits: &Limits, now: Duration) -> Standing {
        let mut quotas = Vec::new();
        let mut quota = |limit, allowed: u32, used: u32, reset| {
            if allowed > 0 {
                let remaining = allowed.saturating_sub(used);
                quotas.push(Quota { limit, allowed, remaining, reset });
            }
        };
        if let Some((session, address)) = place_of(claim) {
            if let (Some(_), Some(place)) = (claim.session, self.place(session, address)) {
                let used = place.tally.count(now);
                let reset = opens_in([place.tally].iter(), used, now);
                quota(Limit::SessionHour, limits.session_queries_per_hour, used, reset);
            }
            if claim.address.is_some() {
                let used = self.asked_by(address, now);
                let reset = opens_in(self.of(address).map(|place| &place.tally), used, now);
                quota(Limit::AddressHour, limits.address_queries_per_hour, used, reset);
            }
        }
        quota(Limit::Day, limits.daily_questions, self.today(now).1, until_midnight(now));
        Standing(quotas)
    }

    /// The day and its questions. While clocks differ about midnight, the later day counts, or each
    /// change between them would begin a new one.
    fn today(&self, now: Duration) -> (u64, u32) {
        let today = day(now);
        let same = self.day == today || self.day == today + 1;
        if same { (self.day, self.questions) } else { (today, 0) }
    }

    fn place(&self, session: u64, address: u64) -> Option<&Place> {
        self.places.iter().find(|it| it.session == session && it.address == address)
    }

    fn of(&self, address: u64) -> impl Iterator<Item = &Place> {
        self.places.iter().filter(move |place| place.address == address)
    }

    fn conversations_of(&self, address: u64) -> impl Iterator<Item = &Place> {
        self.of(address).filter(|place| place.is_conversation())
    }

    fn asked_by(&self, address: u64, now: Duration) -> u32 {
        self.of(address).map(|place| place.tally.count(now)).sum()
    }

    fn sweep(&mut self, limits: &Limits, now: Duration) {
        self.places.retain(|place| !expired(place, limits, now));
        self.offenders.sweep(now);
    }

    fn enter(&mut self, claim: Claim, limits: &Limits, now: Duration) {
        let Some((session, address)) = place_of(claim) else { return };
        let at = self.places.iter().position(|it| it.session == session && it.address == address);
        if let Some(place) = at.and_then(|at| self.places.get_mut(at)) {
            return place.tally.add(now);
        }
        // Whoever has been silent for an hour gives way; `check` saw that there is one.
        let allowed = limits.sessions_per_address as usize;
        if claim.session.is_some()
            && claim.address.is_some()
            && allowed > 0
            && self.conversations_of(address).count() >= allowed
        {
            self.remove_oldest(|place| place.is_conversation() && place.address == address);
        }
        if self.places.len() >= limits.sessions_total as usize {
            self.remove_oldest(|_| true);
        }
        let mut tally = Tally::default();
        tally.add(now);
        self.places.push(Place { session, address, tally });
    }

    fn remove_oldest(&mut self, among: impl Fn(&Place) -> bool) {
        let eligible = self.places.iter().enumerate().filter(|(_, place)| among(place));
        if let Some((at, _)) = eligible.min_by_key(|(_, place)| place.tally.newest) {
            self.places.swap_remove(at);
        }
    }

    /// The refusal as the visitor gets it, after a strike where one is due.
    fn refuse(&mut self, claim: Claim, refusal: Refusal, now: Duration) -> Refusal {
        if let (true, Some(address)) = (refusal.limit.is_own(), claim.address) {
            self.offenders.strike(address, now);
        }
        let wait = refusal.wait.max(self.offenders.wait(claim.address, now));
        Refusal { wait, ..refusal }
    }
}

/// Where a claim is entered: what names the place, and the address it belongs to.
fn place_of(claim: Claim) -> Option<(u64, u64)> {
    let address = claim.address.unwrap_or_default();
    let session = claim.session.or(claim.address)?;
    Some((session, address))
}

/// `None` where one more fits among `places`, counting only those with a question in the last hour;
/// else how long until one of them falls silent.
fn room_in<'a>(
    places: impl Iterator<Item = &'a Place>,
    allowed: u32,
    now: Duration,
) -> Option<Duration> {
    let busy: Vec<&Place> =
        places.filter(|place| !place.tally.idle_for(Duration::ZERO, now)).collect();
    if busy.len() < allowed as usize {
        return None;
    }
    busy.iter().map(|place| place.tally.idle_in(now)).min()
}

/// Whether nothing of a place matters any more: its conversation is over and its hour empty.
fn expired(place: &Place, limits: &Limits, now: Duration) -> bool {
    let window = Duration::from_secs(3_600);
    let longer = if place.is_conversation() {
        limits.session_ttl.saturating_sub(window)
    } else {
        Duration::ZERO
    };
    place.tally.idle_for(longer, now)
}

fn day(now: Duration) -> u64 {
    now.as_secs() / DAY_SECONDS
}

fn until_midnight(now: Duration) -> Duration {
    Duration::from_secs((day(now) + 1) * DAY_SECONDS).saturating_sub(now)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{fakes::SeededEntropy, policy::Profile};

    /// Ten minutes past a day's beginning.
    const START: u64 = 19_000 * DAY_SECONDS + 600;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(START + seconds)
    }

    fn limits() -> Limits {
        Limits::of(Profile::Production)
    }

    fn claim(session: u64, address: u64) -> Claim {
        Claim { session: Some(session), address: Some(address) }
    }

    /// The limit that refuses, and the wait in seconds.
    fn ask(
        ledger: &mut Ledger,
        claim: Claim,
        limits: &Limits,
        seconds: u64,
    ) -> Option<(Limit, u64)> {
        let checked = ledger.check(claim, limits, at(seconds));
        let outcome = ledger.claim(claim, limits, at(seconds));
        assert_eq!(
            checked.map_err(|it| it.limit),
            outcome.clone().map(drop).map_err(|it| it.limit)
        );
        outcome.err().map(|refusal| (refusal.limit, refusal.wait_seconds()))
    }

    #[test]
    fn the_eleventh_question_of_an_hour_is_refused_until_the_first_is_old() {
        let (mut ledger, limits) = (Ledger::default(), limits());
        for n in 0..10 {
            assert_eq!(ask(&mut ledger, claim(1, 2), &limits, n * 60), None);
        }
        assert_eq!(ask(&mut ledger, claim(1, 2), &limits, 600), Some((Limit::SessionHour, 3_300)));
        // Another conversation of the same address goes on, and waiting as told is enough.
        assert_eq!(ask(&mut ledger, claim(3, 2), &limits, 600), None);
        assert_eq!(ask(&mut ledger, claim(1, 2), &limits, 3_899), Some((Limit::SessionHour, 1)));
        assert_eq!(ask(&mut ledger, claim(1, 2), &limits, 3_900), None);
    }

    #[test]
    fn each_limit_refuses_with_its_own_wait() {
        let mut ledger = Ledger::default();
        let limits = Limits {
            sessions_per_address: 2,
            sessions_total: 4,
            address_queries_per_hour: 4,
            daily_questions: 8,
            ..limits()
        };
        let mut check = |claim, seconds, expected| {
            assert_eq!(ask(&mut ledger, claim, &limits, seconds), expected, "{claim:?} {seconds}");
        };
        let search = |address| Claim { session: None, address: Some(address) };
        check(claim(1, 10), 0, None);
        check(claim(2, 10), 300, None);
        check(claim(3, 10), 300, Some((Limit::AddressSessions, 3_600)));
        check(search(10), 300, None);
        check(claim(1, 10), 300, None);
        check(claim(1, 10), 300, Some((Limit::AddressHour, 3_600)));
        check(search(10), 300, Some((Limit::AddressHour, 3_600)));
        check(claim(4, 11), 300, None);
        check(claim(5, 12), 300, Some((Limit::Sessions, 3_900)));
        check(claim(1, 10), 3_899, Some((Limit::AddressHour, 1)));
        // After an hour without a question conversations give way.
        check(claim(5, 12), 4_200, None);
        check(claim(3, 10), 4_200, None);
        check(claim(3, 10), 4_200, None);
        check(claim(3, 10), 4_200, Some((Limit::Day, DAY_SECONDS - 600 - 4_200)));
        check(claim(3, 10), DAY_SECONDS - 600, None);
    }

    #[test]
    fn zero_disables_and_an_unknown_address_is_not_counted() {
        let mut ledger = Ledger::default();
        let limits = Limits {
            session_queries_per_hour: 0,
            sessions_per_address: 0,
            address_queries_per_hour: 0,
            daily_questions: 0,
            ..limits()
        };
        for n in 0..500 {
            assert_eq!(ask(&mut ledger, claim(n % 50, 1), &limits, 0), None);
        }
        assert_eq!(ledger.claim(claim(1, 1), &limits, at(0)), Ok(Standing::default()));
        let limits = Limits::of(Profile::Production);
        for n in 0..200 {
            let unknown = Claim { session: Some(n + 1_000), address: None };
            assert_eq!(ask(&mut ledger, unknown, &limits, 0), None);
            assert_eq!(ask(&mut ledger, Claim::default(), &limits, 0), None);
        }
    }

    #[test]
    fn conversations_of_unknown_addresses_do_not_drive_each_other_out() {
        let (mut ledger, limits) =
            (Ledger::default(), Limits { sessions_per_address: 1, ..limits() });
        let unknown = |n| Claim { session: Some(n), address: None };
        for _ in 0..limits.session_queries_per_hour {
            ledger.claim(unknown(1), &limits, at(0)).unwrap();
        }
        ledger.claim(unknown(2), &limits, at(1)).unwrap();
        let refusal = ledger.claim(unknown(1), &limits, at(2)).unwrap_err();
        assert_eq!(refusal.limit, Limit::SessionHour);
    }

    #[test]
    fn refused_questions_are_not_entered() {
        let (mut ledger, limits) = (Ledger::default(), limits());
        for _ in 0..10 {
            ledger.claim(claim(1, 2), &limits, at(0)).unwrap();
        }
        let full = ledger.clone();
        let refusal = ledger.claim(claim(1, 2), &limits, at(10)).unwrap_err();
        assert_eq!((ledger.places.clone(), ledger.questions), (full.places, full.questions));
        // The first refusal of a minute is noted as a strike, the others leave nothing at all.
        let struck = ledger.clone();
        for second in 10..70 {
            let again = ledger.claim(claim(1, 2), &limits, at(second)).unwrap_err();
            assert_eq!((again.limit, &ledger), (refusal.limit, &struck));
        }
    }

    #[test]
    fn who_does_not_wait_waits_longer_each_time_and_who_waits_is_forgiven() {
        let (mut ledger, limits) = (Ledger::default(), limits());
        for _ in 0..10 {
            ledger.claim(claim(1, 2), &limits, at(0)).unwrap();
        }
        let mut waits = Vec::new();
        for minute in 0..70 {
            let refusal = ledger.claim(claim(1, 2), &limits, at(60 * minute)).unwrap_err();
            waits.push((refusal.limit, refusal.wait_seconds()));
        }
        // At first the conversation's own window is the longer wait, then the doubled one is.
        let own = |minute: u64| (Limit::SessionHour, 3_900 - 60 * minute);
        assert_eq!((waits[0], waits[8]), (own(0), own(8)));
        assert_eq!(waits[9], (Limit::SessionHour, 3_600));
        // The window itself has been open for minutes; the wait ends after an hour all the same.
        assert_eq!((waits[65], waits[69]), ((Limit::BackOff, 3_600), (Limit::BackOff, 3_600)));
        let end = 60 * 69 + 3_600;
        assert!(ledger.check(claim(1, 2), &limits, at(end - 1)).is_err());
        assert!(ledger.claim(claim(1, 2), &limits, at(end)).is_ok());
        // Others were never concerned, and after two quiet hours it starts from nothing.
        assert!(ledger.check(claim(1, 3), &limits, at(60 * 69)).is_ok());
        ledger.claim(claim(1, 2), &limits, at(end + 7_200)).unwrap();
        assert_eq!(ledger.offenders, Offenders::default());
    }

    #[test]
    fn clocks_that_differ_about_midnight_share_one_day() {
        let limits = Limits { daily_questions: 6, ..limits() };
        let midnight = DAY_SECONDS - 600;
        let mut ledger = Ledger::default();
        for n in 0..6 {
            let second = midnight - 1 + n % 2;
            assert_eq!(ask(&mut ledger, claim(n, n + 10), &limits, second), None);
            // The first question was still the old day's.
            assert_eq!(ledger.questions, n.max(1) as u32);
        }
        assert_eq!(ask(&mut ledger, claim(7, 17), &limits, midnight), None);
        assert_eq!(ask(&mut ledger, claim(7, 17), &limits, midnight - 1), Some((Limit::Day, 1)));
        let next = midnight + DAY_SECONDS;
        assert_eq!(ask(&mut ledger, claim(7, 17), &limits, next), None);
    }

    #[test]
    fn a_standing_says_what_is_left() {
        let (mut ledger, limits) = (Ledger::default(), limits());
        ledger.claim(Claim { session: None, address: Some(2) }, &limits, at(0)).unwrap();
        let Standing(quotas) = ledger.claim(claim(1, 2), &limits, at(300)).unwrap();
        let seen = quotas.iter().map(|it| (it.limit, it.remaining, it.reset.as_secs()));
        let midnight = DAY_SECONDS - 900;
        assert_eq!(
            seen.collect::<Vec<_>>(),
            [
                (Limit::SessionHour, 9, 3_900),
                (Limit::AddressHour, 58, 3_600),
                (Limit::Day, 1_998, midnight)
            ]
        );
    }

    #[test]
    fn an_expired_conversation_is_swept() {
        let (mut ledger, limits) = (Ledger::default(), limits());
        ledger.claim(claim(1, 2), &limits, at(0)).unwrap();
        let last = limits.session_ttl.as_secs() + 299;
        assert_eq!(ledger.active_sessions(&limits, at(last)), 1);
        ledger.claim(claim(9, 8), &limits, at(last)).unwrap();
        assert_eq!(ledger.places.len(), 2);
        ledger.claim(claim(9, 8), &limits, at(last + 1)).unwrap();
        assert_eq!((ledger.places.len(), ledger.active_sessions(&limits, at(last + 1))), (1, 1));
    }

    /// Random visitors at random times: whatever was admitted obeys every limit in every window.
    #[test]
    fn no_window_ever_holds_more_than_its_limit() {
        let limits = Limits {
            session_queries_per_hour: 4,
            sessions_per_address: 2,
            sessions_total: 6,
            address_queries_per_hour: 6,
            daily_questions: 40,
            ..limits()
        };
        for seed in 0..200 {
            let chance = SeededEntropy::new(seed);
            let mut ledger = Ledger::default();
            let mut admitted: Vec<(u64, Claim)> = Vec::new();
            let (mut second, mut refused) = (0, 0);
            let pace = [20, 200, 900][seed as usize % 3];
            for _ in 0..600 {
                second += chance.next() % pace;
                let address = chance.next() % 4;
                let session = match chance.next() % 4 {
                    0 => None,
                    n => Some(100 + address * 10 + n),
                };
                let claim = Claim { session, address: Some(address) };
                match ledger.claim(claim, &limits, at(second)) {
                    Ok(_) => admitted.push((second, claim)),
                    Err(_) => refused += 1,
                }
                assert!(ledger.places.len() <= limits.sessions_total as usize, "seed {seed}");
            }
            assert!(refused > 0 && admitted.len() > 10, "seed {seed}: {refused} refused");
            for (at, (end, _)) in admitted.iter().enumerate() {
                let hour = admitted[..=at].iter().filter(|(second, _)| second + 3_600 >= *end);
                let mut sessions = BTreeMap::<_, u32>::new();
                let mut addresses = BTreeMap::<_, u32>::new();
                for (_, claim) in hour {
                    *sessions.entry(claim.session).or_default() += 1;
                    *addresses.entry(claim.address).or_default() += 1;
                }
                sessions.remove(&None);
                assert!(sessions.values().all(|count| *count <= 4), "seed {seed} at {end}");
                assert!(addresses.values().all(|count| *count <= 6), "seed {seed} at {end}");
            }
            let mut days = BTreeMap::<_, u32>::new();
            for (second, _) in &admitted {
                *days.entry(day(at(*second))).or_default() += 1;
            }
            assert!(days.values().all(|count| *count <= 40), "seed {seed}: {days:?}");
        }
    }
}
