//! Configuration variables of this module: read, checked, and refused in words.

use std::{fmt::Display, ops::RangeInclusive, str::FromStr, time::Duration};

use crate::ports::{Config, ConfigError};

/// Why the configuration cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ConfigurationFault {
    /// The operator's: a variable has a value that it cannot have.
    #[error("variable {name}: expected {expected}, got {got:?}")]
    Malformed {
        /// The variable.
        name: String,
        /// What it may be.
        expected: String,
        /// What it is; of a secret, only that it is something else.
        got: String,
    },
    /// The operator's: a provider is named, but what it needs is not there.
    #[error("variable {name} is not set; {provider} in llm_providers needs it")]
    Missing {
        /// The variable.
        name: String,
        /// The provider.
        provider: &'static str,
    },
    /// The platform's: a variable cannot be read.
    #[error(transparent)]
    Unreadable(#[from] ConfigError),
}

pub(super) fn malformed(
    name: &str,
    expected: impl ToString,
    got: impl ToString,
) -> ConfigurationFault {
    let (expected, got) = (expected.to_string(), got.to_string());
    ConfigurationFault::Malformed { name: name.to_owned(), expected, got }
}

/// Reads a number within `range`.
pub(super) async fn number<T: Copy + Display + FromStr + PartialOrd>(
    config: &impl Config,
    name: &str,
    default: T,
    range: RangeInclusive<T>,
) -> Result<T, ConfigurationFault> {
    let Some(text) = config.get(name).await? else { return Ok(default) };
    match text.trim().parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(malformed(name, format!("{} to {}", range.start(), range.end()), text)),
    }
}

/// Reads a limit: a number from 0, or `none` for no limit.
pub(super) async fn limit<T: Copy + Default + Display + FromStr + PartialOrd>(
    config: &impl Config,
    name: &str,
    default: Option<T>,
    most: T,
) -> Result<Option<T>, ConfigurationFault> {
    match config.get(name).await? {
        None => Ok(default),
        Some(text) if text.trim() == "none" => Ok(None),
        Some(text) => match text.trim().parse() {
            Ok(number) if (T::default()..=most).contains(&number) => Ok(Some(number)),
            _ => Err(malformed(name, format!("none, or 0 to {most}"), text)),
        },
    }
}

/// Reads a span in milliseconds.
pub(super) async fn duration(
    config: &impl Config,
    name: &str,
    default: Duration,
) -> Result<Duration, ConfigurationFault> {
    let default = u64::try_from(default.as_millis()).unwrap_or(LONGEST);
    number(config, name, default, 1..=LONGEST).await.map(Duration::from_millis)
}

/// Longest wait, in milliseconds: a model on somebody's own machine may load for a minute.
const LONGEST: u64 = 120_000;

/// Reads a list with commas between its items.
pub(super) async fn list(
    config: &impl Config,
    name: &str,
) -> Result<Option<Vec<String>>, ConfigurationFault> {
    Ok(config.get(name).await?.map(|text| items(&text)))
}

pub(super) fn items(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}
