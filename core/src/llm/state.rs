//! What all instances share about providers: breakers, windows, and what was spent today.
//!
//! A pure value. The caller keeps it in the store and swaps it as a whole, so that of two requests
//! that cross only one reserves and the other looks again. Tokens and money are reserved before a
//! provider is asked, as much as the question can take at the most; [`State::settle`] gives back the
//! rest. A permit that is never settled stays reserved, and so no limit is ever passed.

use std::time::Duration;

use super::{
    breaker::{Breaker, Passage, Position, milliseconds},
    catalogue::Candidate,
    outcome::{Charge, Settlement},
    provider::Provider,
    quota::{Caps, Quota, Reservation},
    window::{Count, Day, Minute},
};
use crate::wire::{LlmProviderRecord, LlmRecord};

/// How often a provider may be asked for one question, where its limits have room.
const TRIES: u8 = 2;
/// Longest time that a provider is left alone because it says so. A daily limit may be gone for
/// hours, but the operator may also have raised it.
const LONGEST_LEAVE: Duration = Duration::from_secs(3600);
/// How long a model that was withdrawn is not asked for; then it is looked at once more.
const WITHDRAWN: Duration = Duration::from_secs(3600);
/// Share of a limit, in tenths, from which the operator is warned.
const WARNING: u64 = 8;

/// The shared state.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct State {
    accounts: Vec<Account>,
    spent: Spent,
}

/// A provider's state.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Account {
    name: String,
    breaker: Breaker,
    /// Until when the provider asked to be left alone.
    left_until: Duration,
    /// Models that it no longer serves, and until when that is believed.
    withdrawn: Vec<(String, Duration)>,
    minute: Minute,
    day: Day,
}

/// What was spent on one day (UTC) over all providers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Spent {
    day: u64,
    tokens: u64,
    micro_usd: u64,
}

/// Leave to ask a provider, with what is reserved for it.
#[derive(Clone, Debug)]
pub struct Permit {
    provider: &'static str,
    tries: u8,
    warning: Option<Quota>,
    passage: Passage,
    reserved: Reservation,
    minute: u64,
    hour: u64,
    day: u64,
}

/// Why a provider must not be asked now.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Denied {
    /// Its breaker is open, or as many probes as may be are under way.
    #[error("the breaker is open for {} s", .wait.as_secs_f32().ceil())]
    Open {
        /// Until it is worth asking again.
        wait: Duration,
    },
    /// It asked to be left alone.
    #[error("the provider asks to be left alone for {} s", .wait.as_secs_f32().ceil())]
    LeftAlone {
        /// Until it is worth asking again.
        wait: Duration,
    },
    /// A limit has no room.
    #[error("no room in {} for {} s", .quota.label(), .wait.as_secs_f32().ceil())]
    Quota {
        /// The limit.
        quota: Quota,
        /// Until it is worth asking again.
        wait: Duration,
    },
    /// The question alone takes more than a limit has at all.
    #[error("{wanted} at once is more than {} allows: {limit}", .quota.label())]
    TooLarge {
        /// The limit's name.
        quota: Quota,
        /// What the question takes.
        wanted: u64,
        /// The limit.
        limit: u64,
    },
}

/// How much of a limit is taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Gauge {
    /// The limit's name.
    pub quota: Quota,
    /// What is used and reserved.
    pub used: u64,
    /// The limit; `None` is no limit.
    pub limit: Option<u64>,
}

impl Permit {
    /// The provider that may be asked.
    pub fn provider(&self) -> &'static str {
        self.provider
    }

    /// How often it may be asked.
    pub fn tries(&self) -> u8 {
        self.tries
    }

    /// The limit of which eight tenths are taken with this permit, and were not before it.
    pub fn warning(&self) -> Option<Quota> {
        self.warning
    }
}

impl Denied {
    /// Returns how long until it is worth asking again; `None` for ever.
    pub fn wait(&self) -> Option<Duration> {
        match self {
            Self::Open { wait } | Self::LeftAlone { wait } | Self::Quota { wait, .. } => {
                Some(*wait)
            }
            Self::TooLarge { .. } => None,
        }
    }
}

impl State {
    /// Reserves what `want` says for a question to `provider`, if every limit has room for it.
    ///
    /// # Errors
    /// [`Denied`]: why not, and for how long. Nothing is reserved then.
    pub fn permit(
        &mut self,
        provider: &Provider,
        want: Reservation,
        caps: &Caps,
        now: Duration,
    ) -> Result<Permit, Denied> {
        self.spent.advance(now);
        let account = account(&mut self.accounts, provider.name());
        account.minute.advance(now);
        account.day.advance(now);
        if let Some(wait) = account.left_until.checked_sub(now).filter(|wait| !wait.is_zero()) {
            return Err(Denied::LeftAlone { wait });
        }
        let gauges = account.gauges(&self.spent, provider, caps);
        let full = |requests| gauges.iter().find(move |gauge| gauge.lacks(requests, want));
        let tries = match full(TRIES) {
            None => TRIES,
            Some(_) => 1,
        };
        if let Some(gauge) = full(tries) {
            return Err(gauge.denial(account, gauge.wanted(tries, want), now));
        }
        let passage = account.breaker.admit(now).map_err(|wait| Denied::Open { wait })?;

        let count = Count { requests: u64::from(tries), tokens: want.tokens };
        let (minute, hour) = (account.minute.add(count), account.day.add(count));
        self.spent.tokens = self.spent.tokens.saturating_add(want.tokens);
        self.spent.micro_usd = self.spent.micro_usd.saturating_add(want.micro_usd);
        let crossed = gauges.iter().find(|gauge| gauge.crosses(tries, want));
        Ok(Permit {
            provider: provider.name(),
            tries,
            warning: crossed.map(|gauge| gauge.quota),
            passage,
            reserved: want,
            minute,
            hour,
            day: self.spent.day,
        })
    }

    /// Learns what came of a permit, at the time `at`: gives back what was not used, feeds the
    /// breaker, and heeds what the provider said. Once for each permit; it may be much later.
    pub fn settle(&mut self, permit: &Permit, settlement: &Settlement, at: Duration) {
        let reserved = permit.reserved;
        let (tokens, limited, micro_usd) = match settlement.charge {
            Charge::Nothing => (0, 0, 0),
            Charge::Reserved => (reserved.tokens, reserved.tokens, reserved.micro_usd),
            Charge::Used { tokens, limited, micro_usd } => (tokens, limited, micro_usd),
        };
        if self.spent.day == permit.day {
            let swap = |there: u64, reserved: u64, used: u64| {
                there.saturating_sub(reserved).saturating_add(used)
            };
            self.spent.tokens = swap(self.spent.tokens, reserved.tokens, tokens);
            self.spent.micro_usd = swap(self.spent.micro_usd, reserved.micro_usd, micro_usd);
        }
        let account = account(&mut self.accounts, permit.provider);
        let before = Count { requests: u64::from(permit.tries), tokens: reserved.tokens };
        let after = Count { requests: settlement.requests, tokens: limited };
        account.minute.replace(permit.minute, before, after);
        account.day.replace(permit.hour, before, after);
        account.breaker.record(permit.passage, settlement.verdict, at);

        let limits = settlement.limits;
        let waits =
            [settlement.leave_for, limits.requests.wait(1), limits.tokens.wait(reserved.tokens)];
        if let Some(wait) = waits.into_iter().flatten().max() {
            account.left_until = account.left_until.max(at + wait.min(LONGEST_LEAVE));
        }
        account
            .withdrawn
            .retain(|(model, until)| *until > at && !settlement.withdrawn.contains(model));
        let withdrawn = settlement.withdrawn.iter().map(|model| (model.clone(), at + WITHDRAWN));
        account.withdrawn.extend(withdrawn);
    }

    /// Returns the models of a candidate without those that its provider no longer serves; all of
    /// them where none is left.
    pub fn served<'a>(&self, candidate: &Candidate<'a>, now: Duration) -> Vec<&'a str> {
        let gone = |model: &str| {
            self.find(candidate.provider.name()).is_some_and(|account| {
                account.withdrawn.iter().any(|(id, until)| id == model && *until > now)
            })
        };
        let served: Vec<&str> =
            candidate.models.iter().copied().filter(|model| !gone(model)).collect();
        if served.is_empty() { candidate.models.clone() } else { served }
    }

    /// Returns where a provider's breaker stands.
    pub fn position(&self, provider: &str, now: Duration) -> Position {
        self.find(provider).map_or(Position::Closed, |account| account.breaker.position(now))
    }

    /// Returns how much of each limit of a provider, and of the daily caps, is taken.
    pub fn gauges(&self, provider: &Provider, caps: &Caps, now: Duration) -> [Gauge; 6] {
        let mut spent = self.spent;
        spent.advance(now);
        let mut account = self.find(provider.name()).cloned().unwrap_or_default();
        account.minute.advance(now);
        account.day.advance(now);
        account.gauges(&spent, provider, caps)
    }

    /// Returns the bytes to store.
    ///
    /// # Errors
    /// None that a state can cause; the encoder's signature has one.
    pub fn encode(&self) -> Result<Vec<u8>, postcard::Error> {
        postcard::to_stdvec(&LlmRecord::from(self))
    }

    /// Reads stored bytes.
    ///
    /// # Errors
    /// They were not written by [`encode`](Self::encode), or by another version of it.
    pub fn decode(bytes: &[u8]) -> Result<Self, postcard::Error> {
        postcard::from_bytes::<LlmRecord>(bytes).map(Self::from)
    }

    /// The breakers by their providers.
    pub(super) fn breakers(&self) -> impl Iterator<Item = (&str, &Breaker)> {
        self.accounts.iter().map(|account| (account.name.as_str(), &account.breaker))
    }

    fn find(&self, provider: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.name == provider)
    }
}

fn account<'a>(accounts: &'a mut Vec<Account>, name: &str) -> &'a mut Account {
    let found = accounts.iter().position(|account| account.name == name);
    let place = found.unwrap_or_else(|| {
        accounts.push(Account { name: name.to_owned(), ..Account::default() });
        accounts.len() - 1
    });
    &mut accounts[place]
}

impl Account {
    fn gauges(&self, spent: &Spent, provider: &Provider, caps: &Caps) -> [Gauge; 6] {
        let (minute, day, limits) = (self.minute.sum(), self.day.sum(), provider.limits());
        let gauge = |quota, used, limit| Gauge { quota, used, limit };
        [
            gauge(Quota::RequestsPerMinute, minute.requests, limits.requests_per_minute),
            gauge(Quota::TokensPerMinute, minute.tokens, limits.tokens_per_minute),
            gauge(Quota::RequestsPerDay, day.requests, limits.requests_per_day),
            gauge(Quota::TokensPerDay, day.tokens, limits.tokens_per_day),
            gauge(Quota::DailyTokens, spent.tokens, caps.daily_tokens),
            gauge(Quota::DailyCost, spent.micro_usd, caps.daily_micro_usd),
        ]
    }
}

impl Gauge {
    fn wanted(&self, requests: u8, want: Reservation) -> u64 {
        match self.quota {
            Quota::RequestsPerMinute | Quota::RequestsPerDay => u64::from(requests),
            Quota::TokensPerMinute | Quota::TokensPerDay | Quota::DailyTokens => want.tokens,
            Quota::DailyCost => want.micro_usd,
        }
    }

    fn lacks(&self, requests: u8, want: Reservation) -> bool {
        let then = self.used.saturating_add(self.wanted(requests, want));
        // What costs nothing may be had even where everything is spent.
        self.limit.is_some_and(|limit| then > limit && then > self.used)
    }

    fn crosses(&self, requests: u8, want: Reservation) -> bool {
        let then = self.used.saturating_add(self.wanted(requests, want));
        self.limit.is_some_and(|limit| {
            let line = limit.saturating_mul(WARNING);
            self.used.saturating_mul(10) < line && then.saturating_mul(10) >= line
        })
    }

    /// Why there is no room for `wanted`, and how long until there is.
    fn denial(&self, account: &Account, wanted: u64, now: Duration) -> Denied {
        let (quota, limit) = (self.quota, self.limit.unwrap_or(u64::MAX));
        let Some(most) = limit.checked_sub(wanted) else {
            return Denied::TooLarge { quota, wanted, limit };
        };
        let wait = match quota {
            Quota::RequestsPerMinute => account.minute.wait(now, most, |it| it.requests),
            Quota::TokensPerMinute => account.minute.wait(now, most, |it| it.tokens),
            Quota::RequestsPerDay => account.day.wait(now, most, |it| it.requests),
            Quota::TokensPerDay => account.day.wait(now, most, |it| it.tokens),
            Quota::DailyTokens | Quota::DailyCost => {
                Duration::from_secs((day_of(now) + 1) * DAY_SECONDS).saturating_sub(now)
            }
        };
        Denied::Quota { quota, wait }
    }
}

impl Spent {
    /// Begins a new day. A clock that was set back changes nothing.
    fn advance(&mut self, now: Duration) {
        if day_of(now) > self.day {
            *self = Self { day: day_of(now), ..Self::default() };
        }
    }
}

const DAY_SECONDS: u64 = 86_400;

fn day_of(now: Duration) -> u64 {
    now.as_secs() / DAY_SECONDS
}

impl From<&State> for LlmRecord {
    fn from(state: &State) -> Self {
        let provider = |account: &Account| LlmProviderRecord {
            name: account.name.clone(),
            breaker: account.breaker.to_record(),
            closed_until_ms: milliseconds(account.left_until),
            withdrawn: account
                .withdrawn
                .iter()
                .map(|(model, until)| (model.clone(), milliseconds(*until)))
                .collect(),
            minute: account.minute.to_record(),
            day: account.day.to_record(),
        };
        let Spent { day, tokens, micro_usd } = state.spent;
        Self { providers: state.accounts.iter().map(provider).collect(), day, tokens, micro_usd }
    }
}

impl From<LlmRecord> for State {
    fn from(record: LlmRecord) -> Self {
        let account = |record: LlmProviderRecord| Account {
            name: record.name,
            breaker: Breaker::from_record(record.breaker),
            left_until: Duration::from_millis(record.closed_until_ms),
            withdrawn: record
                .withdrawn
                .into_iter()
                .map(|(model, until)| (model, Duration::from_millis(until)))
                .collect(),
            minute: Minute::from_record(&record.minute),
            day: Day::from_record(&record.day),
        };
        let LlmRecord { providers, day, tokens, micro_usd } = record;
        let spent = Spent { day, tokens, micro_usd };
        Self { accounts: providers.into_iter().map(account).collect(), spent }
    }
}

#[cfg(test)]
mod tests;
