//! What the operator of a schedule decided: every limit small enough to be met.

use std::collections::BTreeMap;

use dossier_core::fakes::MapConfig;

use crate::chance::Chance;

/// Models with dollars for a million tokens in and out, of each provider.
pub(crate) const GROQ: [(&str, u64, u64); 2] = [("gpt-oss-fast", 1, 4), ("gpt-oss-large", 2, 8)];
pub(crate) const DEEPINFRA: [(&str, u64, u64); 1] = [("qwen3", 3, 3)];

/// The variables of a schedule.
pub(crate) fn variables(chance: &Chance) -> MapConfig {
    let mut variables = BTreeMap::new();
    let mut set = |name: &str, values: &[&str]| {
        variables.insert(name.to_owned(), chance.one(values).to_owned());
    };
    set("session_queries_per_hour", &["0", "0", "1", "3", "6"]);
    set("address_queries_per_hour", &["0", "0", "4", "8"]);
    set("sessions_per_address", &["0", "0", "1", "2"]);
    set("sessions_total", &["1000", "1000", "8", "3"]);
    set("daily_questions", &["1000", "1000", "0", "5", "15"]);
    set("session_ttl_seconds", &["", "", "60"]);
    set("history_turns", &["", "0", "2"]);
    set("history_tokens", &["", "2000"]);
    set("answer_cache_seconds", &["", "30", "0"]);
    set("citation_policy", &["mark", "drop"]);
    set("reranker_url", &["", "https://reranker.example"]);
    set("llm_daily_tokens", &["none", "none", "none", "4000", "9000", "20000"]);
    set("llm_daily_cost_usd", &["none", "none", "none", "0", "0.012", "0.05"]);
    set("llm_total_timeout_ms", &["", "", "12000"]);
    match chance.below(8) {
        0 => {}
        1..4 => set("groq_api_key", &["key"]),
        4 => set("deepinfra_api_key", &["key"]),
        _ => {
            set("groq_api_key", &["key"]);
            set("deepinfra_api_key", &["key"]);
        }
    }
    for prefix in ["groq", "deepinfra"] {
        set(&format!("{prefix}_requests_per_minute"), &["none", "none", "1", "2", "6"]);
        set(&format!("{prefix}_requests_per_day"), &["none", "none", "8"]);
        set(&format!("{prefix}_tokens_per_minute"), &["none", "none", "3000", "6000", "15000"]);
        set(&format!("{prefix}_tokens_per_day"), &["none", "none", "12000"]);
    }
    let ids = |models: &[(&str, u64, u64)]| {
        models.iter().map(|(id, ..)| *id).collect::<Vec<_>>().join(",")
    };
    set("groq_models", &[&ids(&GROQ)]);
    set("deepinfra_models", &[&ids(&DEEPINFRA)]);
    let prices =
        GROQ.iter().chain(&DEEPINFRA).map(|(id, input, output)| format!("{id}={input}/{output}"));
    set("llm_prices", &[&prices.collect::<Vec<_>>().join(",")]);
    // Prompt Guard would be one more caller of the same provider; its own tests have it.
    variables.insert("guard_remote".to_owned(), "off".to_owned());
    MapConfig(variables)
}
