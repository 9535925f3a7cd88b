//! The operator's settings: variables that are read, checked, and refused in one form of words.
//!
//! What is unset is `None` or the default; what is set and cannot be is a fault, never a guess. White
//! space around a value is nobody's intention.

use std::{fmt::Display, ops::RangeInclusive, str::FromStr, time::Duration};

use http::{HeaderValue, Uri};

use crate::ports::{Config, ConfigError};

/// A variable that has to be mended. Its text is for the operator, not for visitors.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SettingFault {
    /// The operator's: the value is none that the variable may have.
    #[error("variable {name}: expected {expected}, got {got}")]
    Malformed {
        /// The variable.
        name: String,
        /// What it may be.
        expected: String,
        /// What it is, in quotes; of a secret, only that it is something else.
        got: String,
    },
    /// The operator's: another setting needs the variable, and it is unset.
    #[error("variable {name}: expected {expected}, got nothing")]
    Missing {
        /// The variable.
        name: String,
        /// What it must be, and what for.
        expected: String,
    },
    /// The platform's: it cannot tell.
    #[error(transparent)]
    Unreadable(#[from] ConfigError),
}

impl SettingFault {
    /// The variable `name` should be `expected`, and is `got`.
    pub fn malformed(name: &str, expected: impl Display, got: &str) -> Self {
        Self::concealed(name, expected, format!("{got:?}"))
    }

    /// The same of a secret: `told` is all that may be told of the value.
    pub fn concealed(name: &str, expected: impl Display, told: impl Display) -> Self {
        let (name, expected, got) = (name.to_owned(), expected.to_string(), told.to_string());
        Self::Malformed { name, expected, got }
    }

    /// The variable `name` should be `expected`, and is unset.
    pub fn missing(name: &str, expected: impl Display) -> Self {
        Self::Missing { name: name.to_owned(), expected: expected.to_string() }
    }
}

/// Reads `name` by `parse`, which says `None` to what is not `expected`.
///
/// # Errors
/// [`SettingFault`] for that, or where the platform cannot tell; as for all readers here.
pub async fn parsed<T>(
    config: &impl Config,
    name: &str,
    expected: impl Display,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, SettingFault> {
    let Some(got) = config.get(name).await? else { return Ok(None) };
    match parse(got.trim()) {
        Some(value) => Ok(Some(value)),
        None => Err(SettingFault::malformed(name, expected, &got)),
    }
}

/// Reads a number in `range`; `default` where it is unset.
///
/// # Errors
/// As for [`parsed`].
pub async fn number<N: Display + FromStr + PartialOrd>(
    config: &impl Config,
    name: &str,
    default: N,
    range: RangeInclusive<N>,
) -> Result<N, SettingFault> {
    let expected = format!("a number from {} to {}", range.start(), range.end());
    let parse = |text: &str| text.parse().ok().filter(|number| range.contains(number));
    Ok(parsed(config, name, expected, parse).await?.unwrap_or(default))
}

/// Reads a limit: a number from 0 to `most`, or `none` for no limit.
///
/// # Errors
/// As for [`parsed`].
pub async fn limit<N: Default + Display + FromStr + PartialOrd>(
    config: &impl Config,
    name: &str,
    default: Option<N>,
    most: N,
) -> Result<Option<N>, SettingFault> {
    let expected = format!("none, or a number from 0 to {most}");
    let parse = |text: &str| match text {
        "none" => Some(None),
        _ => text.parse().ok().filter(|it| (N::default()..=most).contains(it)).map(Some),
    };
    Ok(parsed(config, name, expected, parse).await?.unwrap_or(default))
}

/// Reads a span in milliseconds; `range` and the fault are in milliseconds too.
///
/// # Errors
/// As for [`parsed`].
pub async fn milliseconds(
    config: &impl Config,
    name: &str,
    default: Duration,
    range: RangeInclusive<u64>,
) -> Result<Duration, SettingFault> {
    let default = u64::try_from(default.as_millis()).unwrap_or(u64::MAX);
    number(config, name, default, range).await.map(Duration::from_millis)
}

/// Reads a span in seconds, as [`milliseconds`].
///
/// # Errors
/// As for [`parsed`].
pub async fn seconds(
    config: &impl Config,
    name: &str,
    default: Duration,
    range: RangeInclusive<u64>,
) -> Result<Duration, SettingFault> {
    number(config, name, default.as_secs(), range).await.map(Duration::from_secs)
}

/// Reads one of the words in `choices`.
///
/// # Errors
/// As for [`parsed`].
pub async fn choice<T: Copy>(
    config: &impl Config,
    name: &str,
    choices: &[(&str, T)],
) -> Result<Option<T>, SettingFault> {
    let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    let expected = match words.split_last() {
        Some((last, rest @ [_, ..])) => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    };
    let meant = |text: &str| choices.iter().find(|(word, _)| *word == text).map(|(_, it)| *it);
    parsed(config, name, expected, meant).await
}

/// Reads a list with commas between its items.
///
/// # Errors
/// The platform cannot tell.
pub async fn list(config: &impl Config, name: &str) -> Result<Option<Vec<String>>, SettingFault> {
    Ok(config.get(name).await?.map(|text| items(&text).map(str::to_owned).collect()))
}

/// The items of a list with commas between them.
pub fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// Reads a secret that is sent to a service as a bearer token, in the value of `Authorization`.
///
/// # Errors
/// It has characters that no header can carry; the fault does not quote it.
pub async fn bearer(config: &impl Config, name: &str) -> Result<Option<HeaderValue>, SettingFault> {
    let Some(secret) = config.get(name).await? else { return Ok(None) };
    let value = HeaderValue::try_from(format!("Bearer {}", secret.trim()));
    let concealed = |_| SettingFault::concealed(name, "visible ASCII", "something else");
    let mut value = value.map_err(concealed)?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// Makes `path` below a service's address, which the variable `name` has as `base`. `None` where the
/// host is below `.invalid`, which no server can be (RFC 6761): there is no such service.
///
/// # Errors
/// [`SettingFault::Malformed`] for what is no address.
pub fn address(name: &str, base: &str, path: &str) -> Result<Option<Uri>, SettingFault> {
    let uri = format!("{}{path}", base.trim().trim_end_matches('/')).parse::<Uri>().ok();
    let uri = uri.filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")));
    match uri.as_ref().and_then(Uri::host) {
        Some(host) if host.ends_with(".invalid") => Ok(None),
        Some(_) => Ok(uri),
        None => Err(SettingFault::malformed(name, "http or https://host[:port][/path]", base)),
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::fakes::MapConfig;

    const NAME: &str = "some_variable";

    fn set(value: &str) -> MapConfig {
        MapConfig([(NAME.to_owned(), value.to_owned())].into())
    }

    /// `expected` is what the reader makes of the value, or what the fault says after the name.
    fn check<T: std::fmt::Debug + PartialEq>(
        value: &str,
        read: impl AsyncFn(&MapConfig) -> Result<T, SettingFault>,
        expected: Result<T, &str>,
    ) {
        let got = block_on(read(&set(value))).map_err(|fault| fault.to_string());
        let expected = expected.map_err(|it| format!("variable {NAME}: expected {it}"));
        assert_eq!(got, expected, "{value:?}");
    }

    #[test]
    fn numbers_lie_in_their_range() {
        let whole = async |config: &MapConfig| number(config, NAME, 7_u32, 1..=10).await;
        check("", whole, Ok(7));
        check(" 10\n", whole, Ok(10));
        for bad in ["0", "11", "-1", "1.5", "ten"] {
            check(bad, whole, Err(&format!("a number from 1 to 10, got {bad:?}")));
        }
        let share = async |config: &MapConfig| number(config, NAME, 0.1_f32, 0.0..=2.0).await;
        check("2", share, Ok(2.0));
        for bad in ["2.1", "NaN", "inf"] {
            check(bad, share, Err(&format!("a number from 0 to 2, got {bad:?}")));
        }
        let capped = async |config: &MapConfig| limit(config, NAME, Some(5_u64), 9).await;
        check("", capped, Ok(Some(5)));
        check("none", capped, Ok(None));
        check("0", capped, Ok(Some(0)));
        check("10", capped, Err("none, or a number from 0 to 9, got \"10\""));
    }

    #[test]
    fn spans_are_in_the_unit_of_their_name() {
        let second = Duration::from_secs(1);
        let short = async |config: &MapConfig| milliseconds(config, NAME, second, 1..=2_000).await;
        check("", short, Ok(second));
        check("2000", short, Ok(2 * second));
        check("2s", short, Err("a number from 1 to 2000, got \"2s\""));
        let long = async |config: &MapConfig| seconds(config, NAME, second, 0..=60).await;
        check("60", long, Ok(60 * second));
        check("61", long, Err("a number from 0 to 60, got \"61\""));
    }

    #[test]
    fn words_are_named_in_the_fault() {
        let of = |choices: &'static [(&'static str, u8)]| {
            move |config: &MapConfig| {
                let config = config.clone();
                async move { choice(&config, NAME, choices).await }
            }
        };
        let three = of(&[("off", 0), ("hash", 1), ("redacted", 2)]);
        check("", three, Ok(None));
        check(" hash ", three, Ok(Some(1)));
        check("on", three, Err("off, hash or redacted, got \"on\""));
        check("c", of(&[("a", 0), ("b", 1)]), Err("a or b, got \"c\""));
        check("b", of(&[("a", 0)]), Err("a, got \"b\""));
    }

    #[test]
    fn lists_are_trimmed() {
        let read = async |config: &MapConfig| list(config, NAME).await;
        check("", read, Ok(None));
        check(" a , ,b,", read, Ok(Some(vec!["a".to_owned(), "b".to_owned()])));
    }

    #[test]
    fn secrets_stay_out_of_messages() {
        let value = block_on(bearer(&set(" secret\n"), NAME)).unwrap().unwrap();
        assert_eq!((value.to_str().unwrap(), value.is_sensitive()), ("Bearer secret", true));
        assert_eq!(block_on(bearer(&set(""), NAME)), Ok(None));
        let fault = block_on(bearer(&set("se\ncret"), NAME)).unwrap_err().to_string();
        let expected = "variable some_variable: expected visible ASCII, got something else";
        assert_eq!(fault, expected);
    }

    #[test]
    fn addresses_are_absolute() {
        let at = |base: &str| address(NAME, base, "/v1/x").map(|it| it.map(|it| it.to_string()));
        assert_eq!(at(" http://h:80/ "), Ok(Some("http://h:80/v1/x".to_owned())));
        assert_eq!(at("https://h/a"), Ok(Some("https://h/a/v1/x".to_owned())));
        assert_eq!(at("https://off.invalid"), Ok(None));
        for bad in ["", "h/v1", "ftp://h", "https:///v1", "/path", "a b"] {
            let expected = "http or https://host[:port][/path]";
            assert_eq!(at(bad), Err(SettingFault::malformed(NAME, expected, bad)), "{bad}");
        }
    }

    #[test]
    fn faults_have_one_form() {
        let missing = SettingFault::missing(NAME, "a key for llm_providers");
        let expected = "variable some_variable: expected a key for llm_providers, got nothing";
        assert_eq!(missing.to_string(), expected);
        let (name, reason) = (NAME.to_owned(), "denied".to_owned());
        let fault = SettingFault::from(ConfigError { name, reason });
        assert_eq!(fault.to_string(), "variable some_variable cannot be read: denied");
    }
}
