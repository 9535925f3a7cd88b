//! The environment: one value that carries every port.

use super::{Clock, Config, Entropy, Http, Kv};

/// The ports of one runtime, handed to the pipeline as a single parameter.
pub trait Env {
    /// Sessions, caches and the published pack.
    type Kv: Kv;
    /// Providers and rerankers.
    type Http: Http;
    /// Wall-clock time.
    type Clock: Clock;
    /// Random bytes.
    type Entropy: Entropy;
    /// Configuration variables.
    type Config: Config;

    /// Returns the key-value store.
    fn kv(&self) -> &Self::Kv;
    /// Returns the HTTP client.
    fn http(&self) -> &Self::Http;
    /// Returns the clock.
    fn clock(&self) -> &Self::Clock;
    /// Returns the source of randomness.
    fn entropy(&self) -> &Self::Entropy;
    /// Returns the configuration.
    fn config(&self) -> &Self::Config;

    /// Tells the operator what no caller is told: one line without texts of visitors or documents.
    ///
    /// Nobody listens unless the platform has a log.
    fn warn(&self, _line: &str) {}
}
