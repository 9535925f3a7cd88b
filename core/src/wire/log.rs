//! Lines of the log, and the stages of a question as logs and debug views show them.

use serde::Serialize;

/// One request.
#[derive(Clone, Debug, Serialize)]
pub struct LogRecord<'a> {
    /// When the reply was done, RFC 3339 in UTC.
    pub timestamp: String,
    /// `info`, `warn` for answers that lacked a part, `error` for faults of ours.
    pub level: &'static str,
    /// What kind of line it is: `request`.
    pub message: &'static str,
    /// Names the request; the same as in its header and its error.
    pub request_id: &'a str,
    /// The trace that it belongs to.
    pub trace_id: &'a str,
    /// Its place in the trace.
    pub span_id: &'a str,
    /// The span that called it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_span_id: Option<&'a str>,
    /// Method.
    pub method: &'a str,
    /// Template of the route.
    pub route: &'a str,
    /// Status of the reply.
    pub status: u16,
    /// Code of the error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<&'a str>,
    /// Time from request to the reply's last byte.
    pub elapsed_ms: f64,
    /// Digest of the client's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<&'a str>,
    /// Beginning of the session's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The question, as far as the policy allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<&'a str>,
    /// `hit` or `miss`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<&'a str>,
    /// `safe` or `blocked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guard: Option<&'a str>,
    /// What the answer had to do without.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub degraded: &'a [&'static str],
    /// The language models.
    #[serde(flatten)]
    pub llm: Option<CallsRecord<'a>>,
    /// The stages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<StepRecord>,
}

/// The calls of language models for one question.
#[derive(Clone, Debug, Serialize)]
pub struct CallsRecord<'a> {
    /// Who was asked last.
    pub provider: &'a str,
    /// For which model.
    pub model: &'a str,
    /// How many calls there were.
    pub calls: usize,
    /// Whether the last one ended well.
    pub succeeded: bool,
    /// Tokens sent in all.
    pub input_tokens: u64,
    /// Tokens generated in all.
    pub output_tokens: u64,
    /// Price of all.
    pub cost_usd: f64,
}

/// A stage of a question.
#[derive(Clone, Debug, Serialize)]
pub struct StepRecord {
    /// Which.
    pub stage: &'static str,
    /// From the question's start to its own.
    pub start_ms: f64,
    /// How long it took.
    pub duration_ms: f64,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<&'static str>,
}
