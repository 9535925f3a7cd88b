//! Real, small, in-memory implementations of the ports, and the suites that all of them pass.

pub mod contract;
mod env;
mod feedback;
mod http;
mod kv;

pub use self::{
    env::{ManualClock, MapConfig, MemoryEnv, SeededEntropy},
    feedback::MemoryFeedback,
    http::{Reply, ScriptedBody, ScriptedHttp},
    kv::MemoryKv,
};
