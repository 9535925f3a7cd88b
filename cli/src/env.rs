//! The ports natively, for one question asked on the command line.

use std::time::{Duration, SystemTime};

use dossier_core::{
    fakes::{MapConfig, MemoryKv, ScriptedHttp},
    ports::{Clock, Entropy, Env},
};

/// The system's clock.
#[derive(Debug, Default)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }

    async fn sleep(&self, span: Duration) {
        // One question has the thread to itself.
        std::thread::sleep(span);
    }
}

/// The system's randomness.
#[derive(Debug, Default)]
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            // Without randomness no id is safe; every system this runs on has it.
            eprintln!("dossier: the system has no randomness: {error}");
            std::process::exit(crate::output::FAILED.into());
        }
    }
}

/// A conversation that lives as long as the process, without providers.
#[derive(Debug, Default)]
pub(crate) struct NativeEnv {
    kv: MemoryKv,
    http: ScriptedHttp,
    clock: SystemClock,
    entropy: SystemEntropy,
    config: MapConfig,
}

impl Env for NativeEnv {
    type Kv = MemoryKv;
    type Http = ScriptedHttp;
    type Clock = SystemClock;
    type Entropy = SystemEntropy;
    type Config = MapConfig;

    fn kv(&self) -> &MemoryKv {
        &self.kv
    }
    fn http(&self) -> &ScriptedHttp {
        &self.http
    }
    fn clock(&self) -> &SystemClock {
        &self.clock
    }
    fn entropy(&self) -> &SystemEntropy {
        &self.entropy
    }
    fn config(&self) -> &MapConfig {
        &self.config
    }
}
