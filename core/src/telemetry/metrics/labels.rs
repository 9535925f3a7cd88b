//! The labels of all metrics.

use super::metric::Label;

pub(in crate::telemetry) const ENDPOINT: Label = Label::known(
    "endpoint",
    &["/chat", "/chat/stream", "/chat/simple", "/search", "/v1/chat/completions", "/mcp"],
);
/// Route templates of every function.
pub(in crate::telemetry) const HANDLER: Label = Label::known(
    "handler",
    &[
        "/chat",
        "/chat/stream",
        "/chat/simple",
        "/search",
        "/feedback",
        "/v1/chat/completions",
        "/v1/models",
        "/mcp",
        "/health",
        "/health/live",
        "/health/ready",
        "/health/detailed",
        "/health/llm",
        "/metrics",
        "/openapi.json",
        "/docs",
        "/",
    ],
);
pub(in crate::telemetry) const METHOD: Label =
    Label::known("method", &["GET", "HEAD", "POST", "DELETE", "OPTIONS"]);
pub(in crate::telemetry) const CLASS: Label = Label::known("status", &["2xx", "3xx", "4xx", "5xx"]);
/// `rejected` are the caller's faults (4xx), `error` ours (5xx).
pub(in crate::telemetry) const OUTCOME: Label =
    Label::known("status", &["success", "rejected", "error"]);
pub(in crate::telemetry) const STAGE: Label = Label::known(
    "stage",
    &[
        "admit",
        "cache",
        "guard",
        "prompt_guard",
        "understand",
        "rewrite",
        "encode",
        "retrieve",
        "rerank",
        "generate",
        "check",
        "record",
    ],
);
pub(in crate::telemetry) const PART: Label = Label::known(
    "part",
    &["bm25", "dense", "reranker", "store", "llm", "prompt_guard", "cache", "budget"],
);
pub(in crate::telemetry) const ANSWER: Label = Label::known(
    "kind",
    &[
        "llm",
        "extractive",
        "cached",
        "chitchat",
        "clarification",
        "correction",
        "refusal",
        "blocked",
    ],
);
pub(in crate::telemetry) const COMPONENT: Label = Label::known(
    "component",
    &["api", "llm", "store", "reranker", "prompt_guard", "retrieval", "feedback"],
);
pub(in crate::telemetry) const ERROR: Label = Label::open("error_type");
pub(in crate::telemetry) const FROM: Label = Label::open("from_service");
pub(in crate::telemetry) const TO: Label = Label::open("to_service");

pub(in crate::telemetry) const STATUS: Label = Label::known("status", &["success", "error"]);
/// `provider:model`.
pub(in crate::telemetry) const MODEL: Label = Label::open("model");
pub(in crate::telemetry) const TOKENS: Label = Label::known("type", &["input", "output"]);
pub(in crate::telemetry) const BREAKER: Label = Label::open("name");
pub(in crate::telemetry) const PROVIDER: Label = Label::open("provider");
pub(in crate::telemetry) const QUOTA: Label = Label::known(
    "quota",
    &[
        "requests_per_minute",
        "requests_per_day",
        "tokens_per_minute",
        "tokens_per_day",
        "daily_tokens",
        "daily_cost",
    ],
);
pub(in crate::telemetry) const FROM_STATE: Label = Label::known("from_state", BREAKER_STATES);
pub(in crate::telemetry) const TO_STATE: Label = Label::known("to_state", BREAKER_STATES);
const BREAKER_STATES: &[&str] = &["closed", "open", "half_open"];

pub(in crate::telemetry) const GROUNDED: Label = Label::known("grounded", BOOLEAN);
pub(in crate::telemetry) const MATCHED: Label = Label::known("matched", BOOLEAN);
pub(in crate::telemetry) const SESSION_AWARE: Label = Label::known("session_aware", BOOLEAN);
pub(in crate::telemetry) const THUMBS_UP: Label = Label::known("thumbs_up", BOOLEAN);
const BOOLEAN: &[&str] = &["true", "false"];

pub(in crate::telemetry) const PATTERN: Label = Label::open("pattern_name");
pub(in crate::telemetry) const AMBIGUITY: Label = Label::known("result", &["ambiguous", "clear"]);
pub(in crate::telemetry) const RERANKER: Label =
    Label::known("method", &["bm25", "late_interaction", "cross_encoder"]);
pub(in crate::telemetry) const SKIPPED: Label =
    Label::known("reason", &["load_error", "too_large", "invalid_ext", "outside_docs_dir"]);

pub(in crate::telemetry) const CACHE: Label =
    Label::known("cache", &["answer", "semantic", "embedding", "retrieval", "prompt_guard"]);
pub(in crate::telemetry) const HIT: Label = Label::known("result", &["hit", "miss"]);
pub(in crate::telemetry) const CACHE_OPERATION: Label = Label::known("operation", &["get", "set"]);
pub(in crate::telemetry) const STORE_OPERATION: Label =
    Label::known("operation", &["read", "write"]);

pub(in crate::telemetry) const VERDICT: Label = Label::known("result", &["safe", "blocked"]);
pub(in crate::telemetry) const BLOCK: Label = Label::known(
    "label",
    &["REGEX_BLOCK", "CLASSIFIER_BLOCK", "PROMPT_GUARD_BLOCK", "OUTPUT_BLOCK", "ERROR"],
);
pub(in crate::telemetry) const GUARD_ERROR: Label =
    Label::known("error_type", &["timeout", "api_error"]);
pub(in crate::telemetry) const EVENT: Label = Label::known(
    "event_type",
    &[
        "input_validation_failed",
        "prompt_leakage",
        "internal_term_leaked",
        "jailbreak_attempt",
        "planted_instruction",
        "pii_redacted",
    ],
);
pub(in crate::telemetry) const SEVERITY: Label =
    Label::known("severity", &["critical", "high", "medium", "low"]);
pub(in crate::telemetry) const INPUT: Label = Label::known(
    "result",
    &["passed", "failed_empty", "failed_length", "failed_complexity", "failed_characters"],
);
pub(in crate::telemetry) const OUTPUT: Label =
    Label::known("result", &["passed", "prompt", "canary", "html", "image", "link", "personal"]);

pub(in crate::telemetry) const SESSION_OPERATION: Label =
    Label::known("operation", &["created", "retrieved", "expired"]);
pub(in crate::telemetry) const LIMIT: Label = Label::known(
    "limit_type",
    &[
        "queries_per_hour",
        "address_queries_per_hour",
        "sessions_per_ip",
        "total_sessions",
        "daily_questions",
        "back_off",
    ],
);
pub(in crate::telemetry) const VERSION: Label = Label::open("version");
