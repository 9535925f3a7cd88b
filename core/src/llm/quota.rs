//! Limits: of each provider by minute and day, and of the operator's purse.

use crate::{
    ports::Config,
    setting::{SettingFault, limit},
};

/// What may be asked of one provider; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Limits {
    /// Requests in any 60 seconds.
    pub requests_per_minute: Option<u64>,
    /// Requests in any 24 hours.
    pub requests_per_day: Option<u64>,
    /// Tokens in any 60 seconds, of conversations and replies.
    pub tokens_per_minute: Option<u64>,
    /// Tokens in any 24 hours.
    pub tokens_per_day: Option<u64>,
}

impl Limits {
    /// Reads `<prefix>_requests_per_minute`, `<prefix>_requests_per_day`,
    /// `<prefix>_tokens_per_minute` and `<prefix>_tokens_per_day`: a number, or `none`.
    pub(super) async fn configured(
        config: &impl Config,
        prefix: &str,
        default: Self,
    ) -> Result<Self, SettingFault> {
        let read = async |what: &str, default| {
            limit(config, &format!("{prefix}_{what}"), default, MOST).await
        };
        Ok(Self {
            requests_per_minute: read("requests_per_minute", default.requests_per_minute).await?,
            requests_per_day: read("requests_per_day", default.requests_per_day).await?,
            tokens_per_minute: read("tokens_per_minute", default.tokens_per_minute).await?,
            tokens_per_day: read("tokens_per_day", default.tokens_per_day).await?,
        })
    }
}

/// Largest figure of a limit: far above any provider's, far below an overflow.
const MOST: u64 = 1_000_000_000_000;

/// What may be spent in a day (UTC) over all providers; `None` is no limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Caps {
    /// Tokens.
    pub daily_tokens: Option<u64>,
    /// Cost in millionths of a dollar.
    pub daily_micro_usd: Option<u64>,
}

impl Default for Caps {
    /// A million tokens are some five hundred questions, and a dollar pays for twice as many with the
    /// default models: more than a personal site is asked, less than its owner would mind.
    fn default() -> Self {
        Self { daily_tokens: Some(1_000_000), daily_micro_usd: Some(1_000_000) }
    }
}

impl Caps {
    /// Reads `llm_daily_tokens` and `llm_daily_cost_usd`: a number, or `none`. With a cost of 0,
    /// models that cost nothing are still asked.
    ///
    /// # Errors
    /// A variable has a value that it cannot have, or cannot be read.
    pub async fn configured(config: &impl Config) -> Result<Self, SettingFault> {
        let default = Self::default();
        let dollars = default.daily_micro_usd.map(|micro| micro as f64 / 1e6);
        let dollars = limit(config, "llm_daily_cost_usd", dollars, 1e6).await?;
        Ok(Self {
            daily_tokens: limit(config, "llm_daily_tokens", default.daily_tokens, MOST).await?,
            // Rounded down: a cap is not passed by half a millionth either.
            daily_micro_usd: dollars.map(|dollars: f64| (dollars * 1e6) as u64),
        })
    }
}

/// The limits by name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Quota {
    /// Requests in any 60 seconds.
    RequestsPerMinute,
    /// Requests in any 24 hours.
    RequestsPerDay,
    /// Tokens in any 60 seconds.
    TokensPerMinute,
    /// Tokens in any 24 hours.
    TokensPerDay,
    /// Tokens of the day over all providers.
    DailyTokens,
    /// Cost of the day over all providers.
    DailyCost,
}

impl Quota {
    /// Its name in metrics and messages.
    pub fn label(self) -> &'static str {
        match self {
            Self::RequestsPerMinute => "requests_per_minute",
            Self::RequestsPerDay => "requests_per_day",
            Self::TokensPerMinute => "tokens_per_minute",
            Self::TokensPerDay => "tokens_per_day",
            Self::DailyTokens => "daily_tokens",
            Self::DailyCost => "daily_cost",
        }
    }
}

/// What one completion can take at the most.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reservation {
    /// Tokens of conversation and reply.
    pub tokens: u64,
    /// Their cost in millionths of a dollar, by the dearest model that may come to answer.
    pub micro_usd: u64,
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::fakes::MapConfig;

    #[test]
    fn limits_are_numbers_or_none() {
        let config =
            |name: &str, value: &str| MapConfig([(name.to_owned(), value.to_owned())].into());
        let caps = |name, value| block_on(Caps::configured(&config(name, value)));
        assert_eq!(caps("unrelated", ""), Ok(Caps::default()));
        assert_eq!(caps("llm_daily_tokens", "none").unwrap().daily_tokens, None);
        assert_eq!(caps("llm_daily_cost_usd", "0.25").unwrap().daily_micro_usd, Some(250_000));
        assert_eq!(caps("llm_daily_cost_usd", "0").unwrap().daily_micro_usd, Some(0));
        for bad in ["-1", "NaN", "inf", "1e9", "a lot"] {
            let fault = caps("llm_daily_cost_usd", bad).unwrap_err().to_string();
            let expected =
                "variable llm_daily_cost_usd: expected none, or a number from 0 to 1000000, got ";
            assert_eq!(fault, format!("{expected}{bad:?}"));
        }
        let default = Limits { requests_per_minute: Some(28), ..Limits::default() };
        let limits = |name, value| {
            block_on(Limits::configured(&config(name, value), "groq", default)).unwrap()
        };
        assert_eq!(limits("unrelated", ""), default);
        assert_eq!(limits("groq_requests_per_minute", "none"), Limits::default());
        assert_eq!(limits("groq_tokens_per_day", "5").tokens_per_day, Some(5));
    }
}
