//! Spin's variables as the configuration port.

use dossier_core::ports::{Config, ConfigError};
use spin_sdk::variables::Error;

/// Reads the component's variables.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpinConfig;

impl Config for SpinConfig {
    async fn get(&self, name: &str) -> Result<Option<String>, ConfigError> {
        match spin_sdk::variables::get(name).await {
            Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
            Err(Error::Undefined(_)) => Ok(None),
            Err(error) => Err(ConfigError { name: name.to_owned(), reason: error.to_string() }),
        }
    }
}
