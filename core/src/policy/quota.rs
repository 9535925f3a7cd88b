//! What is left of a limit, as a visitor is told: in words and in the `RateLimit` fields.

use std::{fmt, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, header};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What is counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Limit {
    /// Questions an hour from one address.
    AddressHour,
    /// Conversations of one address at a time.
    AddressSessions,
    /// An address that keeps coming although it was told to wait.
    BackOff,
    /// Questions a day of everybody.
    Day,
    /// Questions an hour in one conversation.
    SessionHour,
    /// Conversations of all at a time.
    Sessions,
}

impl Limit {
    /// Its value of the label `limit_type` in metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::AddressHour => "address_queries_per_hour",
            Self::AddressSessions => "sessions_per_ip",
            Self::BackOff => "back_off",
            Self::Day => "daily_questions",
            Self::SessionHour => "queries_per_hour",
            Self::Sessions => "total_sessions",
        }
    }

    /// Whether the visitor used it up, and not everybody together.
    pub(super) fn is_own(self) -> bool {
        !matches!(self, Self::Day | Self::Sessions)
    }

    /// Its name in the `RateLimit` fields.
    fn policy(self) -> &'static str {
        match self {
            Self::AddressHour => "address",
            Self::AddressSessions => "address-sessions",
            Self::BackOff => "back-off",
            Self::Day => "day",
            Self::SessionHour => "session",
            Self::Sessions => "sessions",
        }
    }

    /// Length of its window in seconds, where it has one.
    fn window(self) -> Option<u32> {
        match self {
            Self::AddressHour | Self::SessionHour => Some(3_600),
            Self::Day => Some(86_400),
            Self::AddressSessions | Self::BackOff | Self::Sessions => None,
        }
    }
}

/// One limit as it stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Quota {
    /// What is counted.
    pub limit: Limit,
    /// How much of it is allowed.
    pub allowed: u32,
    /// How much of it is left.
    pub remaining: u32,
    /// When more of it is left.
    pub reset: Duration,
}

/// The limits that an admitted question counts towards, narrowest first.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Standing(pub Vec<Quota>);

impl Standing {
    /// `RateLimit` and `RateLimit-Policy`; nothing where no limit is set.
    pub fn headers(&self) -> HeaderMap {
        headers(&self.0)
    }
}

/// Why a question is refused, and until when.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// The limit that is used up.
    pub limit: Limit,
    /// How much of it is allowed.
    pub allowed: u32,
    /// How long to wait.
    pub wait: Duration,
}

impl Refusal {
    /// Seconds to wait, rounded up, at least 1.
    pub fn wait_seconds(&self) -> u64 {
        seconds(self.wait).max(1)
    }

    /// `Retry-After` and the `RateLimit` fields.
    pub fn headers(&self) -> HeaderMap {
        let reset = Duration::from_secs(self.wait_seconds());
        let (limit, allowed) = (self.limit, self.allowed);
        let mut headers = headers(&[Quota { limit, allowed, remaining: 0, reset }]);
        headers.insert(header::RETRY_AFTER, self.wait_seconds().into());
        headers
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let allowed = self.allowed;
        formatter.write_str("rate limit exceeded: ")?;
        match self.limit {
            Limit::AddressHour => write!(formatter, "{allowed} questions an hour from one address"),
            Limit::AddressSessions => write!(formatter, "{allowed} conversations at a time"),
            Limit::BackOff => formatter.write_str("too many requests without waiting"),
            Limit::Day => write!(formatter, "{allowed} questions a day for all visitors"),
            Limit::SessionHour => write!(formatter, "{allowed} questions an hour"),
            Limit::Sessions => write!(formatter, "{allowed} conversations of all visitors"),
        }?;
        write!(formatter, "; try again in {}", Wait(self.wait_seconds()))
    }
}

/// A wait in the unit that a person would use.
struct Wait(u64);

impl fmt::Display for Wait {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => formatter.write_str("1 second"),
            seconds @ ..120 => write!(formatter, "{seconds} seconds"),
            seconds @ ..=3_300 => write!(formatter, "{} minutes", seconds.div_ceil(60)),
            // An hour's limit opens within five minutes after it: nobody counts those.
            ..=4_200 => formatter.write_str("about an hour"),
            seconds => write!(formatter, "{} hours", seconds.div_ceil(3_600)),
        }
    }
}

/// The fields of draft-ietf-httpapi-ratelimit-headers, one list member a limit.
fn headers(quotas: &[Quota]) -> HeaderMap {
    let join = |parts: Vec<String>| HeaderValue::try_from(parts.join(", ")).ok();
    let standings = quotas.iter().map(|quota| {
        let (name, reset) = (quota.limit.policy(), seconds(quota.reset));
        format!("\"{name}\";r={};t={reset}", quota.remaining)
    });
    let policies = quotas.iter().filter(|quota| quota.limit != Limit::BackOff).map(|quota| {
        let window = quota.limit.window().map(|window| format!(";w={window}")).unwrap_or_default();
        format!("\"{}\";q={}{window}", quota.limit.policy(), quota.allowed)
    });
    let fields =
        [(RATE_LIMIT, join(standings.collect())), (RATE_LIMIT_POLICY, join(policies.collect()))];
    let present = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
    present.filter(|(_, value)| !value.is_empty()).collect()
}

fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(headers: &HeaderMap, name: &str) -> Option<String> {
        headers.get(name).map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_standing_is_one_member_a_limit() {
        let reset = Duration::from_millis(1_500);
        let quota = |limit, allowed| Quota { limit, allowed, remaining: 3, reset };
        let standing = Standing(vec![quota(Limit::SessionHour, 10), quota(Limit::Day, 2_000)]);
        let headers = standing.headers();
        let limit = text(&headers, "ratelimit");
        assert_eq!(limit.as_deref(), Some("\"session\";r=3;t=2, \"day\";r=3;t=2"));
        let policy = text(&headers, "ratelimit-policy");
        assert_eq!(policy.as_deref(), Some("\"session\";q=10;w=3600, \"day\";q=2000;w=86400"));
        assert!(Standing::default().headers().is_empty());
    }

    #[test]
    fn a_wait_is_told_as_a_person_would() {
        for (seconds, expected) in [
            (1, "1 second"),
            (119, "119 seconds"),
            (120, "2 minutes"),
            (3_300, "55 minutes"),
            (3_301, "about an hour"),
            (3_840, "about an hour"),
            (4_200, "about an hour"),
            (4_201, "2 hours"),
            (7_201, "3 hours"),
            (86_400, "24 hours"),
        ] {
            assert_eq!(Wait(seconds).to_string(), expected, "{seconds}");
        }
    }

    #[test]
    fn a_refusal_says_what_and_how_long() {
        let check = |limit, wait, words: &str, policy: Option<&str>| {
            let refusal = Refusal { limit, allowed: 5, wait: Duration::from_secs(wait) };
            assert_eq!(refusal.to_string(), format!("rate limit exceeded: {words}"));
            let headers = refusal.headers();
            assert_eq!(text(&headers, "retry-after"), Some(wait.max(1).to_string()));
            assert_eq!(text(&headers, "ratelimit-policy").as_deref(), policy);
            assert!(text(&headers, "ratelimit").unwrap().contains(";r=0;t="));
        };
        check(
            Limit::SessionHour,
            3_000,
            "5 questions an hour; try again in 50 minutes",
            Some("\"session\";q=5;w=3600"),
        );
        check(
            Limit::AddressSessions,
            0,
            "5 conversations at a time; try again in 1 second",
            Some("\"address-sessions\";q=5"),
        );
        check(
            Limit::BackOff,
            90,
            "too many requests without waiting; try again in 90 seconds",
            None,
        );
        check(
            Limit::Day,
            80_000,
            "5 questions a day for all visitors; try again in 23 hours",
            Some("\"day\";q=5;w=86400"),
        );
    }
}
