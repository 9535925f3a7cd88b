//! One figure of the configuration: its default, its range, and what is said when it is outside.

use std::{fmt::Display, ops::RangeInclusive, str::FromStr};

use crate::ports::{Config, ConfigError};

/// A variable that the operator has to mend. Its text is for the operator, not for visitors.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SettingFault {
    /// The value is none that the variable may have.
    #[error("variable {name} must be {expected}, got {got:?}")]
    Bad {
        /// The variable.
        name: &'static str,
        /// What it may be.
        expected: String,
        /// What it is; never a secret.
        got: String,
    },
    /// The platform cannot tell.
    #[error(transparent)]
    Unreadable(#[from] ConfigError),
}

/// Reads the number `name`, which must lie in `range`; `default` where it is unset.
///
/// # Errors
/// [`SettingFault`] for anything but such a number.
pub async fn number<N>(
    config: &impl Config,
    name: &'static str,
    default: N,
    range: RangeInclusive<N>,
) -> Result<N, SettingFault>
where
    N: FromStr + PartialOrd + Display,
{
    let Some(got) = config.get(name).await? else { return Ok(default) };
    match got.trim().parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => {
            let expected = format!("a number from {} to {}", range.start(), range.end());
            Err(SettingFault::Bad { name, expected, got })
        }
    }
}
