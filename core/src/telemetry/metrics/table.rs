//! The registry: every metric there is. Names and labels are what the dashboards ask for.

use super::{
    labels::*,
    metric::{Kind, Kind::*, Metric},
};

/// Time of a whole request: up to the platforms' 30 s, and beyond, so that a 99th percentile past a
/// threshold of some seconds can be told.
const REQUEST_TIMES: Kind =
    Histogram(&[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0]);
/// The same, finer, without labels.
const FINE_TIMES: Kind = Histogram(&[
    0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0,
    7.5, 10.0, 30.0, 60.0,
]);
/// Time of a stage: half a millisecond is the quickest worth telling, 30 s the longest there is.
const STAGE_TIMES: Kind = Histogram(&[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
]);
const ANSWER_TIMES: Kind = Histogram(&[0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0]);
const RETRIEVAL_TIMES: Kind = Histogram(&[0.01, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0]);
const LLM_TIMES: Kind = Histogram(&[0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0]);
const CALL_TIMES: Kind = Histogram(&[0.01, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0]);
const SHORT_TIMES: Kind = Histogram(&[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1]);
const SCORES: Kind = Histogram(&[0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]);

/// Declares metrics, so that none can be missing from the table.
macro_rules! metrics {
    ($($id:ident: $kind:expr, $name:literal, [$($label:expr),*], $help:literal;)*) => {
        $(
            #[doc = concat!("`", $name, "`: ", $help)]
            pub static $id: Metric =
                Metric { name: $name, help: $help, kind: $kind, labels: &[$($label),*] };
        )*

        /// Every metric, in the order in which they are printed.
        pub static TABLE: &[&Metric] = &[$(&$id),*];
    };
}

metrics! {
    // Requests.
    HTTP_REQUESTS: Counter, "http_requests_total", [HANDLER, METHOD, CLASS],
        "Requests, by route, method and class of status.";
    HTTP_SECONDS: REQUEST_TIMES, "http_request_duration_seconds", [HANDLER, METHOD, CLASS],
        "Time from request to the reply's last byte.";
    HTTP_FINE_SECONDS: FINE_TIMES, "http_request_duration_highr_seconds", [],
        "Time from request to the reply's last byte, in fine buckets.";
    HTTP_REQUEST_BYTES: Summary, "http_request_size_bytes", [HANDLER],
        "Size of requests' bodies.";
    HTTP_RESPONSE_BYTES: Summary, "http_response_size_bytes", [HANDLER],
        "Size of replies' bodies.";
    REQUESTS: Counter, "rag_request_total", [ENDPOINT, OUTCOME],
        "Questions, by endpoint and outcome.";
    REQUEST_SECONDS: ANSWER_TIMES, "rag_request_latency_seconds", [ENDPOINT],
        "Time of questions that were answered.";
    ERRORS: Counter, "rag_errors_total", [COMPONENT, ERROR],
        "Errors, by the part at fault.";

    // A question's way.
    STAGE_SECONDS: STAGE_TIMES, "rag_stage_duration_seconds", [STAGE],
        "Time of each stage of a question.";
    DEGRADED: Counter, "rag_degraded_total", [PART],
        "Questions that had to do without a part.";
    ANSWERS: Counter, "rag_answers_total", [ANSWER],
        "Answers, by how they came about.";
    GROUNDING: Counter, "rag_grounding_total", [GROUNDED],
        "Answers, by whether documents support them.";
    FALLBACKS: Counter, "rag_fallback_operations_total", [FROM, TO],
        "Turns from one service to another.";
    STORE_OPERATIONS: Counter, "rag_store_operations_total", [STORE_OPERATION],
        "Operations on the key-value store by questions.";

    // Understanding.
    REWRITES: Counter, "rag_query_rewrite_total", [MATCHED],
        "Queries, by whether a rewriting pattern matched.";
    REWRITE_PATTERNS: Counter, "rag_query_rewrite_pattern_matches_total", [PATTERN],
        "Matches of each rewriting pattern.";
    REWRITE_SECONDS: SHORT_TIMES, "rag_query_rewrite_latency_seconds", [],
        "Time to rewrite a query.";
    AMBIGUITY_CHECKS: Counter, "rag_ambiguity_checks_total", [AMBIGUITY],
        "Questions, by whether they are ambiguous.";
    CLARIFICATIONS: Counter, "rag_clarification_requests_total", [],
        "Questions answered by asking back.";

    // Retrieval.
    RETRIEVAL_CHUNKS: Histogram(&[0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 50.0]),
        "rag_retrieval_chunks", [], "Passages found for a question.";
    RETRIEVAL_DISTANCE: SCORES, "rag_retrieval_distance", [],
        "Distance of the best passage from the question, 0 to 1.";
    RETRIEVAL_SECONDS: RETRIEVAL_TIMES, "rag_retrieval_latency_seconds", [],
        "Time of retrieval.";
    RERANKS: Counter, "rag_rerank_total", [RERANKER],
        "Orders of passages, by method.";
    RERANK_SECONDS: Histogram(&[0.01, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0]),
        "rag_rerank_latency_seconds", [RERANKER], "Time to order passages.";
    RERANK_SCORES: SCORES, "rag_rerank_score_distribution", [RERANKER],
        "Scores of ordered passages, 0 to 1.";

    // Language models.
    LLM_REQUESTS: Counter, "rag_llm_request_total", [STATUS, MODEL],
        "Calls of language models.";
    LLM_SECONDS: LLM_TIMES, "rag_llm_latency_seconds", [STATUS, MODEL],
        "Time from a call to its last byte.";
    LLM_FIRST_TOKEN_SECONDS: LLM_TIMES, "rag_llm_first_token_seconds", [MODEL],
        "Time from a call to its first piece of text.";
    LLM_TOKENS: Counter, "rag_llm_token_usage_total", [TOKENS, MODEL],
        "Tokens sent and generated.";
    LLM_CACHED_TOKENS: Counter, "rag_llm_cached_tokens_total", [MODEL],
        "Tokens sent that the provider had in its cache.";
    LLM_COST: Amount, "rag_llm_cost_total", [MODEL],
        "Price of calls in US dollars.";
    LLM_QUOTA_RATIO: Gauge, "rag_llm_quota_used_ratio", [PROVIDER, QUOTA],
        "Share of a quota that is used, 0 to 1.";
    BREAKER_STATE: Gauge, "rag_circuit_breaker_state", [BREAKER],
        "State of a circuit breaker: 0 closed, 0.5 half-open, 1 open.";
    BREAKER_TRANSITIONS: Counter, "rag_circuit_breaker_transitions_total",
        [BREAKER, FROM_STATE, TO_STATE], "Changes of a circuit breaker's state.";

    // Caches.
    RESPONSE_CACHE_HITS: Counter, "response_cache_hits_total", [SESSION_AWARE],
        "Questions answered from the cache.";
    RESPONSE_CACHE_MISSES: Counter, "response_cache_misses_total", [SESSION_AWARE],
        "Questions that the cache did not know.";
    RESPONSE_CACHE_ERRORS: Counter, "response_cache_errors_total", [CACHE_OPERATION],
        "Operations of the answer cache that failed.";
    RESPONSE_CACHE_SECONDS: SHORT_TIMES, "response_cache_operation_duration_seconds",
        [CACHE_OPERATION], "Time of the answer cache's operations.";
    CACHE_LOOKUPS: Counter, "rag_cache_lookups_total", [CACHE, HIT],
        "Lookups in each cache.";

    // Guard.
    GUARD_CHECKS: Counter, "prompt_guard_checks_total", [VERDICT],
        "Questions checked by the guard.";
    GUARD_BLOCKED: Counter, "prompt_guard_blocked_total", [BLOCK],
        "Questions blocked, by the layer that did.";
    PROMPT_GUARD_SECONDS: CALL_TIMES, "prompt_guard_api_latency_seconds", [],
        "Time of the remote guard.";
    PROMPT_GUARD_CACHE: Counter, "prompt_guard_cache_operations_total", [HIT],
        "Lookups of remote verdicts.";
    PROMPT_GUARD_ERRORS: Counter, "prompt_guard_errors_total", [GUARD_ERROR],
        "Failures of the remote guard.";
    PROMPT_GUARD_CHARS: Histogram(&[0.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0]),
        "prompt_guard_context_size_chars", [], "Characters that the guard looked at.";
    SECURITY_EVENTS: Counter, "rag_security_events_total", [EVENT, SEVERITY],
        "Events that somebody should look at when there are many.";
    INPUT_CHECKS: Counter, "rag_security_input_validation_total", [INPUT],
        "Checks of what visitors sent.";
    OUTPUT_CHECKS: Counter, "rag_security_output_validation_total", [OUTPUT],
        "Checks of what they were to get.";

    // Sessions and limits.
    SESSIONS_ACTIVE: Gauge, "rag_sessions_active", [],
        "Conversations that have not expired.";
    SESSION_OPERATIONS: Counter, "rag_session_operations_total", [SESSION_OPERATION],
        "Conversations begun, continued and ended.";
    SESSION_QUERIES: Histogram(&[1.0, 2.0, 5.0, 10.0, 20.0, 50.0]), "rag_session_query_count", [],
        "Questions of a conversation so far, at each question.";
    SESSION_SECONDS: Histogram(&[60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 21600.0]),
        "rag_session_duration_seconds", [], "Age of a conversation, at each question.";
    LIMIT_VIOLATIONS: Counter, "rag_rate_limit_violations_total", [LIMIT],
        "Requests past a limit.";

    // Feedback, documents, the program.
    FEEDBACK: Counter, "rag_feedback_total", [THUMBS_UP],
        "Votes on answers.";
    INGESTED_CHUNKS: Counter, "rag_ingested_chunks_total", [],
        "Passages brought into an index at run time.";
    INGEST_SKIPPED: Counter, "rag_ingest_skipped_files_total", [SKIPPED],
        "Files that were not read.";
    INDEX_DOCUMENTS: Gauge, "rag_index_documents", [],
        "Documents in the index that serves.";
    INDEX_CHUNKS: Gauge, "rag_index_chunks", [],
        "Passages in the index that serves.";
    STORE_UP: Gauge, "rag_store_up", [],
        "Whether the key-value store answers: 1 or 0.";
    BUILD_INFO: Gauge, "rag_build_info", [VERSION],
        "Always 1; the label tells the version.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::telemetry::metrics::Values;

    /// What `promtool check metrics` would find, and what its authors ask for beyond.
    #[test]
    fn names_keep_the_conventions() {
        let mut names = BTreeSet::new();
        for metric in TABLE {
            let Metric { name, help, kind, labels } = metric;
            let legal =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            assert!(name.bytes().all(legal) && names.insert(name), "{name}");
            assert!(
                help.ends_with('.') && !help.contains('\n') && help.len() < 90,
                "{name}: {help}"
            );
            let counts = matches!(kind, Counter | Amount);
            assert_eq!(name.ends_with("_total"), counts, "{name}: _total is for counters");
            for unit in ["_ms", "_milliseconds", "_minutes", "_kb", "_mb", "_percent"] {
                assert!(!name.contains(unit), "{name}: base units");
            }
            for suffix in ["_bucket", "_sum", "_info"] {
                assert!(!name.ends_with(suffix) || *name == "rag_build_info", "{name}: reserved");
            }
            if name.ends_with("_count") {
                assert!(matches!(kind, Histogram(_)), "{name}: reserved");
            }
            let bounds = kind.bounds();
            assert!(bounds.is_sorted_by(|one, next| one < next), "{name}: {bounds:?}");
            if name.ends_with("_seconds") && !bounds.is_empty() {
                assert!(bounds.iter().all(|bound| *bound > 0.0), "{name}");
            }
            let unique: BTreeSet<_> = labels.iter().map(|label| label.name).collect();
            assert_eq!(unique.len(), labels.len(), "{name}");
            for label in *labels {
                assert!(label.name.bytes().all(legal), "{name}: {}", label.name);
                let forbidden = ["le", "quantile", "session", "session_id", "user", "question"];
                assert!(!forbidden.contains(&label.name), "{name}: {}", label.name);
                if let Values::Known(values) = label.values {
                    let unique: BTreeSet<_> = values.iter().collect();
                    assert_eq!(unique.len(), values.len(), "{name}: {}", label.name);
                    assert!(!values.is_empty() && !values.contains(&"other"), "{name}");
                }
            }
        }
    }

    #[test]
    fn percentiles_of_alerts_can_be_told() {
        // An alert on a 99th percentile past 2 s needs bounds on both sides of it.
        let bounds = HTTP_SECONDS.kind.bounds();
        assert!(bounds.contains(&2.0) && bounds.iter().filter(|bound| **bound > 2.0).count() > 3);
    }
}
