//! What a provider's headers say about how much more it may be asked.

use std::time::Duration;

/// One of a provider's own limits, as far as it tells.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Allowance {
    /// The limit.
    pub limit: Option<u64>,
    /// What is left of it.
    pub remaining: Option<u64>,
    /// Until the whole of it is there again.
    pub reset: Option<Duration>,
}

/// A provider's own limits. Groq counts requests by day and tokens by minute.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RateLimits {
    /// Of requests.
    pub requests: Allowance,
    /// Of tokens.
    pub tokens: Allowance,
}

impl RateLimits {
    /// Reads `x-ratelimit-limit-*`, `x-ratelimit-remaining-*` and `x-ratelimit-reset-*`; what is
    /// absent or unreadable is not known.
    pub(super) fn read(headers: &http::HeaderMap) -> Self {
        let allowance = |what: &str| {
            let text = |part: &str| text(headers, &format!("x-ratelimit-{part}-{what}"));
            Allowance {
                limit: text("limit").and_then(|text| text.parse().ok()),
                remaining: text("remaining").and_then(|text| text.parse().ok()),
                reset: text("reset").and_then(span),
            }
        };
        Self { requests: allowance("requests"), tokens: allowance("tokens") }
    }
}

impl Allowance {
    /// Returns how long until `needed` is there, where that is not now: what was spent comes back
    /// at an even pace.
    pub(super) fn wait(&self, needed: u64) -> Option<Duration> {
        let (remaining, reset) = (self.remaining?, self.reset?);
        let missing = needed.checked_sub(remaining).filter(|missing| *missing > 0)?;
        let spent = self.limit.unwrap_or(remaining).saturating_sub(remaining);
        match spent > missing {
            true => Some(reset.mul_f64(missing as f64 / spent as f64)),
            false => Some(reset),
        }
    }
}

/// Reads `retry-after` in seconds; a date, which no provider sends, is not known.
pub(super) fn retry_after(headers: &http::HeaderMap) -> Option<Duration> {
    text(headers, "retry-after").and_then(span)
}

fn text<'a>(headers: &'a http::HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// Reads a span such as `7.66s`, `2m59.56s`, `1h0m3s` or `250ms`; a bare number is seconds.
fn span(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let unit = after.find(|it: char| it.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        seconds += number.parse::<f64>().ok()?
            * match unit {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "" if number.len() == text.len() => 1.0,
                "ms" => 1e-3,
                _ => return None,
            };
        rest = after;
    }
    (!text.is_empty()).then(|| Duration::try_from_secs_f64(seconds).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_providers_write_them() {
        let check = |text: &str, expected: Option<f64>| {
            assert_eq!(span(text), expected.map(Duration::from_secs_f64), "{text:?}");
        };
        check("2", Some(2.0));
        check("7.66s", Some(7.66));
        check("2m59.56s", Some(179.56));
        check("1h0m3s", Some(3603.0));
        check("250ms", Some(0.25));
        check("0s", Some(0.0));
        for bad in ["", "s", "-1s", "1d", "1.2.3s", "1m2", "Fri, 31 Dec 1999 23:59:59 GMT", "1e9s"]
        {
            check(bad, None);
        }
        check(&"9".repeat(400), None);
    }

    #[test]
    fn headers_are_read_where_they_are_there() {
        let mut headers = http::HeaderMap::new();
        assert_eq!(RateLimits::read(&headers), RateLimits::default());
        for (name, value) in [
            ("x-ratelimit-limit-requests", "1000"),
            ("x-ratelimit-remaining-requests", "999"),
            ("x-ratelimit-reset-requests", "1m26.4s"),
            ("x-ratelimit-limit-tokens", "8000"),
            ("x-ratelimit-remaining-tokens", "few"),
            ("retry-after", "3"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        let requests = Allowance {
            limit: Some(1000),
            remaining: Some(999),
            reset: Some(Duration::from_millis(86_400)),
        };
        let tokens = Allowance { limit: Some(8000), ..Allowance::default() };
        assert_eq!(RateLimits::read(&headers), RateLimits { requests, tokens });
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(3)));
    }

    #[test]
    fn what_is_missing_comes_back_at_an_even_pace() {
        let reset = Some(Duration::from_secs(60));
        let half = Allowance { limit: Some(8000), remaining: Some(4000), reset };
        assert_eq!(half.wait(4000), None);
        assert_eq!(half.wait(5000), Some(Duration::from_secs(15)));
        assert_eq!(half.wait(9000), reset);
        assert_eq!(Allowance { limit: None, ..half }.wait(5000), reset);
        assert_eq!(Allowance { remaining: None, ..half }.wait(5000), None);
    }
}
