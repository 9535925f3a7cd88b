//! The books, kept a second time from outside: who was admitted, who was refused, what providers
//! bill, and whether all that stays within what the operator allows.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use dossier_core::{
    llm::Provider,
    policy::{Limit, Limits, Refusal},
};

use crate::{
    provider::Asked,
    variables::{DEEPINFRA, GROQ},
};

const HOUR: Duration = Duration::from_secs(3_600);
/// Counting goes by slots of five minutes, so a window is up to that much longer than an hour.
const LONGEST_HOUR: Duration = Duration::from_secs(3_900);
const MINUTE: Duration = Duration::from_secs(60);
const DAY_SECONDS: u64 = 86_400;
/// From a reservation to the last request under it: a second try comes after up to two seconds, and
/// the first may have hesitated for one.
pub(crate) const DELAY: Duration = Duration::from_secs(4);

/// The books of a schedule.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    admitted: RefCell<Vec<Admission>>,
    refused: RefCell<Vec<(Admission, Refusal)>>,
}

/// A question that was let in, or was not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admission {
    /// When.
    pub(crate) at: Duration,
    /// Hash of its conversation; `None` where it has none, or was dropped before it told.
    pub(crate) session: Option<u64>,
    /// Where it came from.
    pub(crate) address: Option<u64>,
    /// Whether it was told what is left of its limits: without the ledger it is not.
    pub(crate) counted: bool,
}

impl Audit {
    /// Enters a question that was let in, and returns its number.
    pub(crate) fn admit(&self, admission: Admission) -> usize {
        let mut admitted = self.admitted.borrow_mut();
        admitted.push(admission);
        admitted.len() - 1
    }

    /// Enters what is known only now.
    pub(crate) fn name(&self, number: usize, session: u64) {
        self.admitted.borrow_mut()[number].session = Some(session);
    }

    /// Enters a question that was refused.
    pub(crate) fn refuse(&self, admission: Admission, refusal: Refusal) {
        self.refused.borrow_mut().push((admission, refusal));
    }

    /// Holds what was admitted to the limits, and where the store never failed, refusals to what was
    /// admitted before them, of which as many may be unknown here as requests were dropped.
    ///
    /// # Panics
    /// A limit was passed, or applied too early.
    pub(crate) fn check_limits(&self, limits: &Limits, is_exact: bool, dropped: usize) {
        let admitted = self.admitted.borrow();
        // Without any limit nobody is told what is left of it.
        let tells = |it: &Admission| it.counted || limits.daily_questions == 0;
        assert!(!is_exact || admitted.iter().all(tells), "admitted without being counted");
        let counted: Vec<Admission> =
            admitted.iter().copied().filter(|it| is_exact || it.counted).collect();
        let within = |allowed: u32, count: usize| allowed == 0 || count <= allowed as usize;
        for (at, one) in counted.iter().enumerate() {
            let hour: Vec<&Admission> =
                counted[..=at].iter().filter(|it| it.at + HOUR > one.at).collect();
            let of = |same: &dyn Fn(&Admission) -> bool| hour.iter().filter(|it| same(it)).count();
            if one.session.is_some() {
                let count = of(&|it| it.session == one.session);
                assert!(within(limits.session_queries_per_hour, count), "{count} in {one:?}");
            }
            if one.address.is_some() {
                let count = of(&|it| it.address == one.address);
                assert!(within(limits.address_queries_per_hour, count), "{count} of {one:?}");
                let sessions = hour.iter().filter(|it| it.address == one.address);
                let sessions: BTreeSet<u64> = sessions.filter_map(|it| it.session).collect();
                assert!(within(limits.sessions_per_address, sessions.len()), "{sessions:?}");
            }
            let sessions: BTreeSet<u64> = hour.iter().filter_map(|it| it.session).collect();
            assert!(within(limits.sessions_total, sessions.len()), "{sessions:?}");
            let today = counted[..=at].iter().filter(|it| day(it.at) == day(one.at)).count();
            assert!(within(limits.daily_questions, today), "{today} today");
        }
        for (one, refusal) in self.refused.borrow().iter().filter(|_| is_exact) {
            let earlier = counted.iter().filter(|it| it.at <= one.at);
            let recent = |it: &&Admission| it.at + LONGEST_HOUR > one.at;
            let count = match refusal.limit {
                Limit::SessionHour => {
                    earlier.filter(recent).filter(|it| it.session == one.session).count()
                }
                Limit::AddressHour => {
                    earlier.filter(recent).filter(|it| it.address == one.address).count()
                }
                Limit::Day => earlier.filter(|it| day(it.at) == day(one.at)).count(),
                Limit::AddressSessions | Limit::BackOff | Limit::Sessions => continue,
            };
            assert!(
                count + dropped >= refusal.allowed as usize,
                "{count} before {one:?}: {refusal:?}"
            );
        }
    }
}

/// Holds what providers bill to the operator's caps.
///
/// # Panics
/// One was passed.
pub(crate) fn check_bills(
    asked: &[Asked],
    providers: &[&Provider],
    caps: &dossier_core::llm::Caps,
) {
    for provider in providers {
        let of: Vec<&Asked> = asked.iter().filter(|it| it.host.contains(provider.name())).collect();
        let limits = provider.limits();
        let day = Duration::from_secs(DAY_SECONDS);
        for (span, requests, tokens) in [
            (MINUTE, limits.requests_per_minute, limits.tokens_per_minute),
            (day, limits.requests_per_day, limits.tokens_per_day),
        ] {
            for (at, one) in of.iter().enumerate() {
                let recent = of[..=at].iter().filter(|it| it.at + span > one.at + DELAY);
                let (count, sum) =
                    recent.fold((0, 0), |(count, sum), it| (count + 1, sum + it.prompt + it.reply));
                let name = provider.name();
                assert!(
                    requests.is_none_or(|it| count <= it),
                    "{name}: {count} requests, {limits:?}"
                );
                assert!(tokens.is_none_or(|it| sum <= it), "{name}: {sum} tokens, {limits:?}");
            }
        }
    }
    let mut days = BTreeMap::<u64, (u64, u64)>::new();
    // What was reserved at the end of a day may be used at the beginning of the next.
    for one in asked.iter().filter(|it| day(it.at) == day(it.at - DELAY)) {
        let (tokens, nano_usd) = days.entry(day(one.at)).or_default();
        let price = GROQ.iter().chain(&DEEPINFRA).find(|(id, ..)| *id == one.model);
        let (_, input, output) = price.expect("a model that was configured");
        *tokens += one.prompt + one.reply;
        *nano_usd += 1_000 * (one.prompt * input + one.reply * output);
    }
    for (day, (tokens, nano_usd)) in days {
        assert!(caps.daily_tokens.is_none_or(|it| tokens <= it), "day {day}: {tokens} tokens");
        let cap = caps.daily_micro_usd;
        assert!(cap.is_none_or(|it| nano_usd <= 1_000 * it), "day {day}: {nano_usd} of {cap:?}");
    }
}

/// The day (UTC), counted from the Unix epoch.
pub(crate) fn day(at: Duration) -> u64 {
    at.as_secs() / DAY_SECONDS
}
