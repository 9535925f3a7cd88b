//! Reservations, settlements and breakers, by themselves and by chance.

use super::*;
use crate::{
    fakes::SeededEntropy,
    llm::{Verdict, headers::Allowance, quota::Limits},
};

const NONE: Caps = Caps { daily_tokens: None, daily_micro_usd: None };
const WANT: Reservation = Reservation { tokens: 1000, micro_usd: 100 };

fn at(seconds: u64) -> Duration {
    // Ten minutes into a day of 2026.
    Duration::from_secs(20_500 * DAY_SECONDS + 600 + seconds)
}

fn used(tokens: u64, micro_usd: u64) -> Settlement {
    Settlement {
        verdict: Verdict::Success,
        requests: 1,
        charge: Charge::Used { tokens, limited: tokens, micro_usd },
        ..Settlement::unused()
    }
}

#[test]
fn what_is_reserved_counts_until_it_is_given_back() {
    let limits = Limits { tokens_per_minute: Some(2500), ..Limits::default() };
    let provider = Provider::sample(limits);
    let mut state = State::default();
    let first = state.permit(&provider, WANT, &NONE, at(0)).unwrap();
    state.permit(&provider, WANT, &NONE, at(1)).unwrap();
    let denied = state.permit(&provider, WANT, &NONE, at(2)).unwrap_err();
    // Seconds 600 to 609 of the day are a slot, which leaves the window at second 670.
    let wait = Duration::from_secs(68);
    assert_eq!(denied, Denied::Quota { quota: Quota::TokensPerMinute, wait });
    state.settle(&first, &used(300, 30), at(3));
    state.permit(&provider, WANT, &NONE, at(4)).unwrap();
    assert_eq!(state.gauges(&provider, &NONE, at(4))[1].used, 2300);
    assert_eq!(state.gauges(&provider, &NONE, at(80))[1].used, 0);
    assert_eq!(state.gauges(&provider, &NONE, at(80))[4].used, 2300);
}

#[test]
fn each_limit_denies_by_its_name_and_a_second_try_needs_room() {
    let check = |limits: Limits, caps: Caps, granted: usize, expected: Quota, wait: u64| {
        let provider = Provider::sample(limits);
        let mut state = State::default();
        for _ in 0..granted {
            state.permit(&provider, WANT, &caps, at(0)).unwrap();
        }
        let before = state.clone();
        let denied = state.permit(&provider, WANT, &caps, at(0)).unwrap_err();
        let wait = Duration::from_secs(wait);
        assert_eq!(denied, Denied::Quota { quota: expected, wait });
        assert_eq!(state, before, "a denial reserves nothing");
    };
    let none = Limits::default();
    let rpm = Limits { requests_per_minute: Some(3), ..none };
    // Two tries for the first, one for the second.
    check(rpm, NONE, 2, Quota::RequestsPerMinute, 70);
    check(Limits { requests_per_day: Some(4), ..none }, NONE, 2, Quota::RequestsPerDay, 89_400);
    check(Limits { tokens_per_day: Some(1999), ..none }, NONE, 1, Quota::TokensPerDay, 89_400);
    let midnight = DAY_SECONDS - 600;
    let tokens = Caps { daily_tokens: Some(3999), ..NONE };
    check(none, tokens, 3, Quota::DailyTokens, midnight);
    let cost = Caps { daily_micro_usd: Some(250), ..NONE };
    check(none, cost, 2, Quota::DailyCost, midnight);

    let provider = Provider::sample(rpm);
    let mut state = State::default();
    let tries = |state: &mut State| state.permit(&provider, WANT, &NONE, at(0)).unwrap().tries();
    assert_eq!((tries(&mut state), tries(&mut state)), (2, 1));
}

#[test]
fn what_is_free_may_be_had_when_the_money_is_spent() {
    let provider = Provider::sample(Limits::default());
    let caps = Caps { daily_micro_usd: Some(0), ..NONE };
    let mut state = State::default();
    let denied = state.permit(&provider, WANT, &caps, at(0)).unwrap_err();
    assert_eq!(denied.to_string(), "100 at once is more than daily_cost allows: 0");
    assert_eq!(denied.wait(), None);
    let free = Reservation { micro_usd: 0, ..WANT };
    assert!(state.permit(&provider, free, &caps, at(0)).is_ok());
}

#[test]
fn a_day_ends_at_midnight_and_what_was_reserved_before_stays_there() {
    let provider = Provider::sample(Limits::default());
    let caps = Caps { daily_tokens: Some(1000), ..NONE };
    let mut state = State::default();
    let late = state.permit(&provider, WANT, &caps, at(0)).unwrap();
    let next = at(DAY_SECONDS);
    state.permit(&provider, WANT, &caps, next).unwrap();
    state.settle(&late, &used(10, 1), next);
    assert_eq!(state.gauges(&provider, &caps, next)[4].used, 1000);
    assert!(state.permit(&provider, WANT, &caps, at(0)).is_err(), "a clock set back");
}

#[test]
fn the_operator_is_warned_once_at_eight_tenths() {
    let provider = Provider::sample(Limits::default());
    let caps = Caps { daily_tokens: Some(10_000), ..NONE };
    let mut state = State::default();
    let warnings: Vec<Option<Quota>> =
        (0..10).map(|_| state.permit(&provider, WANT, &caps, at(0)).unwrap().warning()).collect();
    let mut expected = [None; 10];
    expected[7] = Some(Quota::DailyTokens);
    assert_eq!(warnings, expected);
}

#[test]
fn what_the_provider_says_closes_it_for_that_long() {
    let provider = Provider::sample(Limits::default());
    let check = |settlement: Settlement, expected: Option<u64>| {
        let mut state = State::default();
        let permit = state.permit(&provider, WANT, &NONE, at(0)).unwrap();
        state.settle(&permit, &settlement, at(10));
        let denied = state.permit(&provider, WANT, &NONE, at(10)).err();
        let wait = expected.map(Duration::from_millis);
        assert_eq!(denied, wait.map(|wait| Denied::LeftAlone { wait }), "{settlement:?}");
        let later = at(10) + wait.unwrap_or_default();
        assert!(state.permit(&provider, WANT, &NONE, later).is_ok());
    };
    let unused = Settlement::unused();
    let leave = |seconds| Some(Duration::from_secs(seconds));
    check(unused.clone(), None);
    check(Settlement { leave_for: leave(7), ..unused.clone() }, Some(7000));
    check(Settlement { leave_for: leave(90_000), ..unused.clone() }, Some(3_600_000));
    let tokens = |remaining| {
        let mut settlement = unused.clone();
        let (limit, reset) = (Some(8000), leave(60));
        settlement.limits.tokens = Allowance { limit, remaining: Some(remaining), reset };
        settlement
    };
    check(tokens(1000), None);
    check(tokens(0), Some(7500));
    let mut requests = unused.clone();
    requests.limits.requests = Allowance { limit: Some(1), remaining: Some(0), reset: leave(100) };
    check(requests, Some(100_000));
}

#[test]
fn failures_open_the_breaker_and_withdrawn_models_are_left_out() {
    let provider = Provider::sample(Limits::default());
    let mut state = State::default();
    let failure = Settlement { verdict: Verdict::Failure, ..Settlement::unused() };
    for _ in 0..5 {
        let permit = state.permit(&provider, WANT, &NONE, at(0)).unwrap();
        state.settle(&permit, &failure, at(0));
    }
    assert_eq!(state.position("sample", at(1)), Position::Open);
    let denied = state.permit(&provider, WANT, &NONE, at(1)).unwrap_err();
    assert_eq!(denied.to_string(), "the breaker is open for 29 s");
    assert_eq!(state.gauges(&provider, &NONE, at(1))[4].used, 0, "all was given back");

    let candidate = Candidate { provider: &provider, models: vec!["first", "second"] };
    let permit = state.permit(&provider, WANT, &NONE, at(30)).unwrap();
    let settle = |state: &mut State, models: &[&str], seconds| {
        let withdrawn = models.iter().map(|model| (*model).to_owned()).collect();
        let settlement = Settlement { withdrawn, ..Settlement::unused() };
        state.settle(&permit, &settlement, at(seconds));
    };
    assert_eq!(state.served(&candidate, at(30)), ["first", "second"]);
    settle(&mut state, &["first"], 30);
    assert_eq!(state.served(&candidate, at(31)), ["second"]);
    settle(&mut state, &["second"], 31);
    assert_eq!(state.served(&candidate, at(32)), ["first", "second"], "something is asked");
    assert_eq!(state.served(&candidate, at(3630)), ["first"], "one hour later");
}

#[test]
fn stored_bytes_read_back_and_stay_as_they_are() {
    let provider = Provider::sample(Limits::default());
    let mut state = State::default();
    let permit = state.permit(&provider, WANT, &NONE, Duration::from_secs(1_000_000)).unwrap();
    let withdrawn = vec!["first".to_owned()];
    let settlement = Settlement { withdrawn, ..used(7, 1) };
    state.settle(&permit, &settlement, Duration::from_secs(1_000_000));
    let bytes = state.encode().unwrap();
    assert_eq!(State::decode(&bytes), Ok(state));
    // Frozen: whoever changes it raises the ledger's version.
    let frozen = b"\x01\x06sample\x00\x00\x00\x01\x05first\x80\xf1\xc6\xde\x03\
                   \xa0\x8d\x06\x01\x01\x07\x95\x02\x01\x01\x07\x0b\x07\x01";
    assert_eq!(bytes, frozen, "{}", bytes.escape_ascii());
    assert!(State::decode(&bytes[..10]).is_err());
    assert_eq!(State::decode(&State::default().encode().unwrap()), Ok(State::default()));
}

/// A permit under way or settled, as an observer who knows everything sees it.
struct Seen {
    at: Duration,
    requests: u64,
    tokens: u64,
    micro_usd: u64,
}

#[test]
fn no_interleaving_passes_a_limit() {
    let (mut granted, mut denied) = (0, [0; 6]);
    for seed in 0..12 {
        // Each seed has one limit that is tight, and the others sometimes bite.
        let limit = |place: u64, tight, loose| if seed % 6 == place { tight } else { loose };
        let [rpm, rpd] = [limit(0, 5, 50), limit(2, 60, 5_000)];
        let [tpm, tpd] = [limit(1, 9_000, 90_000), limit(3, 50_000, 5_000_000)];
        let [tokens, cost] = [limit(4, 40_000, 4_000_000), limit(5, 3_000, 300_000)];
        let provider = Provider::sample(Limits {
            requests_per_minute: Some(rpm),
            requests_per_day: Some(rpd),
            tokens_per_minute: Some(tpm),
            tokens_per_day: Some(tpd),
        });
        let caps = Caps { daily_tokens: Some(tokens), daily_micro_usd: Some(cost) };
        let random = SeededEntropy::new(seed);
        let below = |limit: u64| random.next() % limit;
        let mut now = at(below(DAY_SECONDS));
        let mut state = State::default();
        let mut seen: Vec<Seen> = Vec::new();
        let mut under_way: Vec<(usize, Permit)> = Vec::new();
        for _ in 0..2000 {
            now += Duration::from_millis(match below(10) {
                0 => below(3_600_000),
                1..4 => below(40_000),
                _ => below(1500),
            });
            // Every step is another instance's.
            state = State::decode(&state.encode().unwrap()).unwrap();
            if below(3) > 0 {
                let want = Reservation { tokens: 200 + below(3000), micro_usd: below(300) };
                match state.permit(&provider, want, &caps, now) {
                    Ok(permit) => {
                        granted += 1;
                        let requests = u64::from(permit.tries());
                        let Reservation { tokens, micro_usd } = want;
                        under_way.push((seen.len(), permit));
                        seen.push(Seen { at: now, requests, tokens, micro_usd });
                    }
                    Err(Denied::Quota { quota, .. }) => {
                        let gauges = state.gauges(&provider, &caps, now);
                        let place = gauges.iter().position(|gauge| gauge.quota == quota);
                        denied[place.unwrap()] += 1;
                    }
                    Err(other) => panic!("seed {seed}: {other}"),
                }
            } else if !under_way.is_empty() && below(20) > 0 {
                let (place, permit) = under_way.swap_remove(below(under_way.len() as u64) as usize);
                let seen = &mut seen[place];
                let mut settlement = used(below(seen.tokens + 1), below(seen.micro_usd + 1));
                settlement.requests = 1 + below(seen.requests);
                settlement.charge = match below(4) {
                    0 => Charge::Nothing,
                    1 => Charge::Reserved,
                    _ => settlement.charge,
                };
                match settlement.charge {
                    Charge::Nothing => (seen.tokens, seen.micro_usd) = (0, 0),
                    Charge::Reserved => {}
                    Charge::Used { tokens, micro_usd, .. } => {
                        (seen.tokens, seen.micro_usd) = (tokens, micro_usd);
                    }
                }
                seen.requests = settlement.requests;
                state.settle(&permit, &settlement, now);
            }
            let since = |span| {
                let recent = move |it: &&Seen| it.at + Duration::from_secs(span) > now;
                seen.iter().rev().take_while(recent)
            };
            let today = || since(DAY_SECONDS).filter(|it| day_of(it.at) == day_of(now));
            let checks = [
                since(60).map(|it| it.requests).sum::<u64>() <= rpm,
                since(60).map(|it| it.tokens).sum::<u64>() <= tpm,
                since(DAY_SECONDS).map(|it| it.requests).sum::<u64>() <= rpd,
                since(DAY_SECONDS).map(|it| it.tokens).sum::<u64>() <= tpd,
                today().map(|it| it.tokens).sum::<u64>() <= tokens,
                today().map(|it| it.micro_usd).sum::<u64>() <= cost,
            ];
            assert_eq!(checks, [true; 6], "seed {seed}");
        }
    }
    assert!(granted > 5_000, "{granted} granted");
    assert!(denied.iter().all(|count| *count > 0), "each limit was met: {denied:?}");
}
