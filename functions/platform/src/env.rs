//! The environment of a component, with WASI's clock and randomness.

use std::time::{Duration, SystemTime};

use dossier_core::ports::{Clock, Entropy, Env};
use spin_sdk::wasip3::{clocks::monotonic_clock::wait_for, random::random};

use crate::{SpinConfig, SpinHttp, SpinKv, http::nanoseconds};

/// WASI's wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }

    async fn sleep(&self, span: Duration) {
        wait_for(nanoseconds(span)).await;
    }
}

/// WASI's cryptographic randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        // The host may return fewer bytes than asked for.
        let mut filled = 0;
        while filled < bytes.len() {
            let more = random::get_random_bytes((bytes.len() - filled) as u64);
            bytes[filled..filled + more.len()].copy_from_slice(&more);
            filled += more.len();
        }
    }
}

/// Every port, on Spin.
#[derive(Clone, Debug, Default)]
pub struct SpinEnv {
    kv: SpinKv,
    http: SpinHttp,
    clock: SystemClock,
    entropy: SystemEntropy,
    config: SpinConfig,
}

impl Env for SpinEnv {
    type Kv = SpinKv;
    type Http = SpinHttp;
    type Clock = SystemClock;
    type Entropy = SystemEntropy;
    type Config = SpinConfig;

    fn kv(&self) -> &SpinKv {
        &self.kv
    }
    fn http(&self) -> &SpinHttp {
        &self.http
    }
    fn clock(&self) -> &SystemClock {
        &self.clock
    }
    fn entropy(&self) -> &SystemEntropy {
        &self.entropy
    }
    fn config(&self) -> &SpinConfig {
        &self.config
    }
    fn warn(&self, line: &str) {
        eprintln!("{line}");
    }
}
