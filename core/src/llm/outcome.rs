//! What came of asking a provider, and what of it the shared state must know.

use std::time::Duration;

use super::{breaker::Verdict, fault::Fault, headers::RateLimits};

/// Why a model ended its answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Finish {
    /// It was done.
    Stop,
    /// It met the longest reply that was asked for.
    Length,
    /// The provider held something back.
    Filtered,
    /// Something else, or the provider does not say.
    Other,
}

impl Finish {
    /// Reads a `finish_reason`.
    pub(super) fn named(name: &str) -> Self {
        match name {
            "stop" | "eos" => Self::Stop,
            "length" => Self::Length,
            "content_filter" => Self::Filtered,
            _ => Self::Other,
        }
    }
}

/// Tokens of a completion.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Usage {
    /// Of the conversation.
    pub prompt: u64,
    /// Of them, those that the provider had in its cache.
    pub cached: u64,
    /// Of the reply, thinking included.
    pub completion: u64,
    /// Whether the provider counted; otherwise they are estimated, and too many rather than too few.
    pub reported: bool,
}

impl Usage {
    /// Of conversation and reply.
    pub fn total(&self) -> u64 {
        self.prompt.saturating_add(self.completion)
    }

    /// Those that count for a provider's limits: what it had in its cache does not.
    pub(super) fn limited(&self) -> u64 {
        self.total().saturating_sub(self.cached.min(self.prompt))
    }
}

/// What came of asking a provider.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Why the answer ended, or why there is none, or no whole one.
    pub result: Result<Finish, Fault>,
    /// Whether any piece was handed on; from then on nobody else may be asked.
    pub began: bool,
    /// The provider.
    pub provider: &'static str,
    /// The model that was asked last.
    pub model: String,
    /// Models that the provider no longer serves; the operator should know.
    pub withdrawn: Vec<String>,
    /// How often it was asked; models that it does not serve are left out.
    pub tries: u8,
    /// Tokens, as far as any were used.
    pub usage: Usage,
    /// Their cost in millionths of a dollar.
    pub micro_usd: u64,
    /// The provider's own limits, as its last reply told them.
    pub limits: RateLimits,
    /// From asking to the first piece.
    pub first_piece: Option<Duration>,
    /// From asking to the end.
    pub elapsed: Duration,
}

impl Outcome {
    /// Returns what the shared state must know: numbers and names of models, nothing of the request.
    pub fn settlement(&self) -> Settlement {
        let used = Charge::Used {
            tokens: self.usage.total(),
            limited: self.usage.limited(),
            micro_usd: self.micro_usd,
        };
        Settlement {
            verdict: match &self.result {
                Ok(_) => Verdict::Success,
                Err(fault) if fault.counts_for_breaker() => Verdict::Failure,
                Err(_) => Verdict::Neutral,
            },
            requests: u64::from(self.tries),
            charge: match &self.result {
                Ok(_) => used,
                Err(_) if self.usage.reported => used,
                Err(fault) if fault.may_be_billed() => Charge::Reserved,
                Err(_) => Charge::Nothing,
            },
            leave_for: match &self.result {
                Err(Fault::RateLimited { retry_after }) => Some(retry_after.unwrap_or(UNTOLD)),
                _ => None,
            },
            limits: self.limits,
            withdrawn: self.withdrawn.clone(),
        }
    }
}

/// How long a provider is left alone that asks for it without saying how long: a sixth of the
/// minute by which they count.
const UNTOLD: Duration = Duration::from_secs(10);

/// What an outcome means for the shared state.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settlement {
    pub(super) verdict: Verdict,
    pub(super) requests: u64,
    pub(super) charge: Charge,
    pub(super) leave_for: Option<Duration>,
    pub(super) limits: RateLimits,
    pub(super) withdrawn: Vec<String>,
}

impl Settlement {
    /// A permit that nothing came of: the provider was not asked.
    pub fn unused() -> Self {
        Self {
            verdict: Verdict::Neutral,
            requests: 0,
            charge: Charge::Nothing,
            leave_for: None,
            limits: RateLimits::default(),
            withdrawn: Vec::new(),
        }
    }
}

/// What was used of a reservation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Charge {
    /// Nothing: the provider refused, or never heard of it.
    Nothing,
    /// Nobody knows, so all of it.
    Reserved,
    /// So much.
    Used {
        /// Tokens.
        tokens: u64,
        /// Those of them that count for the provider's limits.
        limited: u64,
        /// Their cost in millionths of a dollar.
        micro_usd: u64,
    },
}
