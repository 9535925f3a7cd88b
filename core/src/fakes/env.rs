//! A whole environment in memory, with a clock that stands still until it is moved.

use std::{cell::Cell, collections::BTreeMap, future::poll_fn, task::Poll, time::Duration};

use super::{MemoryKv, ScriptedHttp};
use crate::ports::{Clock, Config, ConfigError, Entropy, Env};

/// A clock that a test moves by hand, and that whoever sleeps moves on by as much.
#[derive(Debug, Default)]
pub struct ManualClock(Cell<Duration>);

impl ManualClock {
    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        self.0.set(self.0.get() + by);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        self.0.get()
    }

    async fn sleep(&self, span: Duration) {
        self.advance(span);
        // Others get their turn, as they would while the time passes.
        let mut turned = false;
        poll_fn(|context| match std::mem::replace(&mut turned, true) {
            true => Poll::Ready(()),
            false => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
        })
        .await;
    }
}

/// A reproducible source of bytes (SplitMix64, Steele et al. 2014); not for production.
#[derive(Debug, Default)]
pub struct SeededEntropy(Cell<u64>);

impl SeededEntropy {
    /// Creates a source; equal seeds give equal bytes.
    pub fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    /// Returns the next 64 random bits.
    pub fn next(&self) -> u64 {
        self.0.set(self.0.get().wrapping_add(0x9E37_79B9_7F4A_7C15));
        let mut mixed = self.0.get();
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}

/// Configuration from a map.
#[derive(Clone, Debug, Default)]
pub struct MapConfig(pub BTreeMap<String, String>);

impl Config for MapConfig {
    async fn get(&self, name: &str) -> Result<Option<String>, ConfigError> {
        Ok(self.0.get(name).filter(|value| !value.is_empty()).cloned())
    }
}

/// Every port in memory.
#[derive(Debug, Default)]
pub struct MemoryEnv {
    /// The store.
    pub kv: MemoryKv,
    /// The scripted client.
    pub http: ScriptedHttp,
    /// The manual clock, at the epoch.
    pub clock: ManualClock,
    /// Seeded randomness.
    pub entropy: SeededEntropy,
    /// Configuration, empty.
    pub config: MapConfig,
}

impl Env for MemoryEnv {
    type Kv = MemoryKv;
    type Http = ScriptedHttp;
    type Clock = ManualClock;
    type Entropy = SeededEntropy;
    type Config = MapConfig;

    fn kv(&self) -> &MemoryKv {
        &self.kv
    }
    fn http(&self) -> &ScriptedHttp {
        &self.http
    }
    fn clock(&self) -> &ManualClock {
        &self.clock
    }
    fn entropy(&self) -> &SeededEntropy {
        &self.entropy
    }
    fn config(&self) -> &MapConfig {
        &self.config
    }
}
