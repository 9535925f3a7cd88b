//! Spin's variables as the configuration port.

use dossier_core::ports::Config;

/// Reads the component's variables.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpinConfig;

impl Config for SpinConfig {
    async fn get(&self, name: &str) -> Option<String> {
        let value = spin_sdk::variables::get(name).await.ok()?;
        Some(value).filter(|value| !value.is_empty())
    }
}
