//! A visitor of the service with a double of Groq behind it: how it is started, and what he sees of
//! an answer, on whichever route.

use std::time::{Duration, Instant};

use dossier_host::{Limits, ReuseLimits};
use dossier_tests::{Server, ServerOptions, groq::Groq};
use regex::Regex;
use serde_json::{Value, json};

/// A question that the sample answers in one sentence.
pub(crate) const QUESTION: &str = "Who awarded her the Davy Medal?";
/// Words of that sentence.
pub(crate) const FACT: &str = "Royal Society";
/// In one piece, and as it comes.
pub(crate) const ROUTES: [&str; 2] = ["/chat", "/chat/stream"];

/// Options of a server whose provider is at `base`: without Prompt Guard, cache, quotas and caps but
/// for those that `variables` set.
pub(crate) fn options(base: &str, variables: &[(&str, &str)]) -> ServerOptions {
    let usual = [
        ("groq_api_key", "gsk_of_a_test"),
        ("groq_base_url", base),
        ("llm_host", "http://127.0.0.1:*"),
        ("guard_remote", "off"),
        ("answer_cache_seconds", "0"),
        ("groq_requests_per_minute", "none"),
        ("groq_requests_per_day", "none"),
        ("groq_tokens_per_minute", "none"),
        ("groq_tokens_per_day", "none"),
        ("llm_daily_tokens", "none"),
        ("llm_daily_cost_usd", "none"),
    ];
    let all = usual.iter().chain(variables);
    let variables = all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    // An instance stays, however long a busy machine takes to the next request.
    let reuse = ReuseLimits { idle: Duration::from_secs(60), ..ReuseLimits::default() };
    let limits = Limits { reuse, ..Limits::default() };
    ServerOptions { variables, limits, ..ServerOptions::default() }
}

/// Starts a server that asks `groq`.
pub(crate) fn serve(groq: &Groq, variables: &[(&str, &str)]) -> Server {
    Server::start_with(options(&groq.base(), variables)).unwrap()
}

/// What a visitor saw of one question.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Names of a stream's events, several of one name in a row as one; empty for one piece.
    pub(crate) events: String,
    /// How many pieces the answer came in.
    pub(crate) pieces: usize,
    pub(crate) answer: String,
    pub(crate) sources: Vec<Value>,
    /// The reply; of a stream what `metadata` and `result` say, and other events under their names.
    pub(crate) told: Value,
    /// From the request to the last byte.
    pub(crate) took: Duration,
}

/// Asks a question on `route`, which must be answered with 200.
pub(crate) fn ask(server: &Server, route: &str, question: &str) -> Seen {
    send(server, route, &json!({ "question": question }))
}

/// Sends a whole request.
pub(crate) fn send(server: &Server, route: &str, request: &Value) -> Seen {
    let started = Instant::now();
    let reply = server.post(route, request).unwrap();
    let took = started.elapsed();
    assert_eq!(reply.status, 200, "{route}: {}", reply.body);
    if route.ends_with("/stream") {
        return Seen { took, ..heard(&reply.body) };
    }
    let told = reply.json();
    let answer = told["answer"].as_str().unwrap().to_owned();
    let sources = told["sources"].as_array().unwrap().clone();
    Seen { events: String::new(), pieces: 1, answer, sources, told, took }
}

/// Reads a whole stream.
fn heard(stream: &str) -> Seen {
    let (mut names, mut pieces, mut sources) = (Vec::new(), Vec::new(), Value::Null);
    let mut told = serde_json::Map::new();
    for event in stream.strip_suffix("\n\n").unwrap().split("\n\n") {
        let (name, data) = event.split_once('\n').unwrap();
        let name = name.strip_prefix("event: ").unwrap();
        let data: Value = match data.strip_prefix("data: ").unwrap() {
            "" => Value::Null,
            data => serde_json::from_str(data).unwrap(),
        };
        names.push(name);
        match (name, data) {
            ("token", data) => pieces.push(data.as_str().unwrap().to_owned()),
            ("sources_reorder", data) => sources = data["reordered_sources"].clone(),
            ("metadata" | "result", Value::Object(members)) => {
                sources = members.get("sources").cloned().unwrap_or(sources);
                told.extend(members);
            }
            (name, data) => {
                told.insert(name.to_owned(), data);
            }
        }
    }
    names.dedup();
    Seen {
        events: names.join(" "),
        pieces: pieces.len(),
        answer: pieces.concat(),
        sources: sources.as_array().cloned().unwrap_or_default(),
        told: Value::Object(told),
        took: Duration::ZERO,
    }
}

impl Seen {
    /// Holds the citations to the sources: numbered by first use, and none of something else.
    pub(crate) fn check_citations(&self) {
        let mut used: Vec<usize> = Vec::new();
        for (_, number) in self.cited() {
            if !used.contains(&number) {
                used.push(number);
            }
        }
        let numbers: Vec<usize> = (1..=used.len()).collect();
        assert!(!used.is_empty() && used == numbers, "{self:?}");
        assert!(used.len() <= self.sources.len(), "{self:?}");
        for (source, number) in self.sources.iter().zip(1..) {
            assert_eq!(source["citation_index"], number, "{self:?}");
        }
    }

    /// Holds each cited text to the passage that it names.
    pub(crate) fn check_quotations(&self) {
        self.check_citations();
        for (quote, number) in self.cited() {
            let passage = self.sources[number - 1]["text"].as_str().unwrap();
            assert!(passage.contains(&quote), "[{number}] does not say {quote:?}: {self:?}");
        }
    }

    /// Each citation's number, and what stands between it and the one before.
    fn cited(&self) -> Vec<(String, usize)> {
        let citations = Regex::new(r"([^\[\]]*)\[(\d+)\]").unwrap();
        let found = citations.captures_iter(&self.answer).map(|found| {
            let quote = found[1].trim_start_matches(['.', ' ', '\n']).trim_end();
            (quote.to_owned(), found[2].parse().unwrap())
        });
        found.collect()
    }
}
