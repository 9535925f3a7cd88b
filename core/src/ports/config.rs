//! The configuration port: named values that an operator sets.

/// Reads configuration variables, named in lower snake case as in `spin.toml`.
#[expect(async_fn_in_trait, reason = "guests are single-threaded, no Send bound is wanted")]
pub trait Config {
    /// Returns the value of `name`, or `None` where it is unset or empty.
    ///
    /// # Errors
    /// The platform cannot tell; what depends on the value must then be refused, not guessed.
    async fn get(&self, name: &str) -> Result<Option<String>, ConfigError>;
}

/// The platform's variables cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("variable {name} cannot be read: {reason}")]
pub struct ConfigError {
    /// The variable.
    pub name: String,
    /// What the platform said.
    pub reason: String,
}
