//! One call of a language model, as traces keep it.

use std::time::Duration;

use super::metrics::{self, Snapshot};

/// What one call of a provider took and cost, failed ones included.
///
/// OpenTelemetry's GenAI conventions call these `gen_ai.provider.name`, `gen_ai.request.model`,
/// `gen_ai.usage.input_tokens`, `gen_ai.usage.output_tokens` and, as metrics,
/// `gen_ai.client.token.usage` (ours: `rag_llm_token_usage_total`, the same `type` values as
/// `gen_ai.token.type`), `gen_ai.client.operation.duration` (`rag_llm_latency_seconds`) and
/// `gen_ai.server.time_to_first_token` (`rag_llm_first_token_seconds`). Log lines say `provider`,
/// `model`, `input_tokens` and `output_tokens`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Call {
    /// The provider's name in the configuration, such as `groq`.
    pub provider: String,
    /// The model that was asked for.
    pub model: String,
    /// Whether an answer came to its end.
    pub succeeded: bool,
    /// From sending to the last byte, or to the failure.
    pub duration: Duration,
    /// From sending to the first piece of text; `None` where none came.
    pub first_token: Option<Duration>,
    /// Tokens of the prompt, cached ones included.
    pub input_tokens: u64,
    /// Those of them that the provider had in its cache.
    pub cached_tokens: u64,
    /// Tokens generated, reasoning included.
    pub output_tokens: u64,
    /// Price in millionths of a US dollar.
    pub micro_usd: u64,
}

impl Call {
    /// Counts the call.
    pub(super) fn record(&self, snapshot: &mut Snapshot) {
        let model = format!("{}:{}", self.provider, self.model);
        let status = if self.succeeded { "success" } else { "error" };
        snapshot.record(&metrics::LLM_REQUESTS, &[status, &model], 1.0);
        let seconds = self.duration.as_secs_f64();
        snapshot.record(&metrics::LLM_SECONDS, &[status, &model], seconds);
        if let Some(first) = self.first_token {
            snapshot.record(&metrics::LLM_FIRST_TOKEN_SECONDS, &[&model], first.as_secs_f64());
        }
        for (kind, tokens) in [("input", self.input_tokens), ("output", self.output_tokens)] {
            snapshot.record(&metrics::LLM_TOKENS, &[kind, &model], tokens as f64);
        }
        snapshot.record(&metrics::LLM_CACHED_TOKENS, &[&model], self.cached_tokens as f64);
        snapshot.record(&metrics::LLM_COST, &[&model], self.micro_usd as f64 / 1e6);
    }
}
