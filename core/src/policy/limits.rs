//! How much a visitor may ask: every figure a variable, with two sets of defaults.

use std::time::Duration;

use crate::{
    auth,
    ports::Config,
    setting::{self, SettingFault, number, seconds},
};

/// Variable with the profile. Empty: production where an API key is configured; else development,
/// which then serves this machine only.
pub const PROFILE: &str = "profile";

/// The set of defaults.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Profile {
    /// One developer on one machine: generous, and no key needed on loopback.
    Development,
    /// Strangers ask, and somebody pays.
    Production,
}

impl Profile {
    /// Reads [`PROFILE`].
    ///
    /// # Errors
    /// [`SettingFault`] for an unknown name.
    pub async fn configured(config: &impl Config) -> Result<Self, SettingFault> {
        let names = [("development", Self::Development), ("production", Self::Production)];
        if let Some(named) = setting::choice(config, PROFILE, &names).await? {
            return Ok(named);
        }
        let keys = setting::list(config, auth::API_KEYS).await?.unwrap_or_default();
        Ok(if keys.is_empty() { Self::Development } else { Self::Production })
    }
}

/// What is counted, and how much of it is allowed. 0 allows any number of questions, and of
/// conversations of one address; of turns and tokens it allows none.
///
/// The variables are named like the fields, with `session_ttl_seconds` for the life.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Questions an hour in one conversation, 0 to 10 000; 10, in development 1 000.
    pub session_queries_per_hour: u32,
    /// Life of a conversation after its last question, 60 seconds to 7 days; 6 hours.
    pub session_ttl: Duration,
    /// Conversations of one address at a time, 0 to 4 000; 5, in development 1 000. One without a
    /// question in the last hour gives way to a new one.
    pub sessions_per_address: u32,
    /// Conversations of all at a time, 1 to 4 000; 1 000. The ledger is one record of at most 60
    /// bytes a conversation, and 4 000 of them still fit a value of the store.
    pub sessions_total: u32,
    /// Questions an hour from one address, conversations and searches together, 0 to 10 000; 60, in
    /// development 10 000. Above the five conversations' 50, for the searches.
    pub address_queries_per_hour: u32,
    /// Questions a day (UTC) of everybody, 0 to 1 000 000; 2 000, in development 100 000. What
    /// bounds the bill when many addresses ask.
    pub daily_questions: u32,
    /// Turns of a conversation that are kept and looked at, 0 to 20; 8.
    pub history_turns: usize,
    /// Tokens of the turns that are looked at, 0 to 4 000; 1 500: what eight turns take. The newest
    /// turn is always.
    pub history_tokens: usize,
}

impl Limits {
    /// The defaults of `profile`.
    pub fn of(profile: Profile) -> Self {
        let production = Self {
            session_queries_per_hour: 10,
            session_ttl: Duration::from_secs(6 * 3_600),
            sessions_per_address: 5,
            sessions_total: 1_000,
            address_queries_per_hour: 60,
            daily_questions: 2_000,
            history_turns: 8,
            history_tokens: 1_500,
        };
        match profile {
            Profile::Production => production,
            Profile::Development => Self {
                session_queries_per_hour: 1_000,
                sessions_per_address: 1_000,
                address_queries_per_hour: 10_000,
                daily_questions: 100_000,
                ..production
            },
        }
    }

    /// Reads every figure; what is unset comes from the profile.
    ///
    /// # Errors
    /// [`SettingFault`] names the first variable outside of its range.
    pub async fn configured(config: &impl Config) -> Result<Self, SettingFault> {
        let default = Self::of(Profile::configured(config).await?);
        let hourly = 0..=10_000;
        Ok(Self {
            session_queries_per_hour: number(
                config,
                "session_queries_per_hour",
                default.session_queries_per_hour,
                hourly.clone(),
            )
            .await?,
            session_ttl: seconds(
                config,
                "session_ttl_seconds",
                default.session_ttl,
                60..=7 * 86_400,
            )
            .await?,
            sessions_per_address: number(
                config,
                "sessions_per_address",
                default.sessions_per_address,
                0..=4_000,
            )
            .await?,
            sessions_total: number(config, "sessions_total", default.sessions_total, 1..=4_000)
                .await?,
            address_queries_per_hour: number(
                config,
                "address_queries_per_hour",
                default.address_queries_per_hour,
                hourly,
            )
            .await?,
            daily_questions: number(
                config,
                "daily_questions",
                default.daily_questions,
                0..=1_000_000,
            )
            .await?,
            history_turns: number(config, "history_turns", default.history_turns, 0..=20).await?,
            history_tokens: number(config, "history_tokens", default.history_tokens, 0..=4_000)
                .await?,
        })
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::fakes::MapConfig;

    fn read(variables: &[(&str, &str)]) -> Result<Limits, SettingFault> {
        let map = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        block_on(Limits::configured(&MapConfig(map.collect())))
    }

    #[test]
    fn the_profile_follows_the_keys_unless_it_is_named() {
        for (variables, expected) in [
            (&[][..], Profile::Development),
            (&[("api_keys", " , ")], Profile::Development),
            (&[("api_keys", "k")], Profile::Production),
            (&[("api_keys", "k"), ("profile", "development")], Profile::Development),
            (&[("profile", "production")], Profile::Production),
        ] {
            assert_eq!(read(variables), Ok(Limits::of(expected)), "{variables:?}");
        }
        let fault = read(&[("profile", "prod")]).unwrap_err().to_string();
        assert_eq!(fault, "variable profile: expected development or production, got \"prod\"");
    }

    #[test]
    fn every_figure_is_a_variable_with_a_range() {
        let read_one = |name: &str, value: &str| read(&[("profile", "production"), (name, value)]);
        for (name, least, most) in [
            ("session_queries_per_hour", "0", "10000"),
            ("session_ttl_seconds", "60", "604800"),
            ("sessions_per_address", "0", "4000"),
            ("sessions_total", "1", "4000"),
            ("address_queries_per_hour", "0", "10000"),
            ("daily_questions", "0", "1000000"),
            ("history_turns", "0", "20"),
            ("history_tokens", "0", "4000"),
        ] {
            for good in [least, most] {
                let limits = read_one(name, good).unwrap();
                assert_ne!(limits, Limits::of(Profile::Production), "{name} {good}");
            }
            let above = (most.parse::<u64>().unwrap() + 1).to_string();
            for bad in ["-1", "1.5", "ten", above.as_str()] {
                let fault = read_one(name, bad).unwrap_err().to_string();
                let expected = format!(
                    "variable {name}: expected a number from {least} to {most}, got {bad:?}"
                );
                assert_eq!(fault, expected);
            }
        }
    }
}
