//! The configuration port: named values that an operator sets.

/// Reads configuration variables, named in lower snake case as in `spin.toml`.
#[expect(async_fn_in_trait, reason = "guests are single-threaded, no Send bound is wanted")]
pub trait Config {
    /// Returns the value of `name`, or `None` where it is unset, empty or cannot be read.
    async fn get(&self, name: &str) -> Option<String>;
}

/// Reads a number, falling back to `default` where it is unset or not within `range`.
pub async fn number(
    config: &impl Config,
    name: &str,
    range: std::ops::RangeInclusive<u64>,
    default: u64,
) -> u64 {
    match config.get(name).await.map(|value| value.trim().parse()) {
        Some(Ok(value)) if range.contains(&value) => value,
        _ => default,
    }
}

/// Reads a switch: `true`, `1`, `yes` or `on` in any case turn it on, anything else off.
pub async fn flag(config: &impl Config, name: &str, default: bool) -> bool {
    config.get(name).await.map_or(default, |value| {
        matches!(value.trim().to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on")
    })
}
