//! The log: one line of JSON a request, without anything that tells who asked what.
//!
//! What a caller chose freely never stands in it: a path is its route's template, a session its
//! first characters, a client what was made of its address, a question what [`QuestionLog`] allows.

use sha2::{Digest as _, Sha256};

use super::{Context, Served, Trace, metrics::labels, timestamp, trace::millis};
use crate::{
    ports::Config,
    setting::{SettingFault, choice},
    wire::{CallsRecord, LogRecord},
};

/// Characters of a session's id that are logged: enough to follow a conversation through the log,
/// too few to take it over.
const SESSION_CHARS: usize = 8;
/// Bytes of a question's digest that are logged.
const DIGEST_BYTES: usize = 8;
/// Variable that says what is logged of questions: `off` (default), `hash` or `redacted`.
const LOG_QUESTIONS: &str = "log_questions";

/// What is logged of a visitor's question.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum QuestionLog {
    /// Nothing.
    #[default]
    Off,
    /// Its digest, by which equal questions can be told. Whoever guesses a question can check it.
    Hash,
    /// Its text, without what the redaction finds.
    Redacted,
}

impl QuestionLog {
    /// Reads the variable `log_questions`.
    ///
    /// # Errors
    /// It cannot be read, or is none of `off`, `hash` and `redacted`.
    pub async fn configured(config: &impl Config) -> Result<Self, SettingFault> {
        let policies = [("off", Self::Off), ("hash", Self::Hash), ("redacted", Self::Redacted)];
        Ok(choice(config, LOG_QUESTIONS, &policies).await?.unwrap_or_default())
    }

    /// What is logged of `question`; `redact` removes what tells of persons, and secrets.
    pub fn of<R: Into<String>>(self, question: &str, redact: impl Fn(&str) -> R) -> Option<String> {
        match self {
            Self::Off => None,
            Self::Hash => {
                let digest = Sha256::digest(question);
                Some(digest.iter().take(DIGEST_BYTES).map(|it| format!("{it:02x}")).collect())
            }
            Self::Redacted => Some(redact(question).into()),
        }
    }
}

/// What may be logged of who asked.
#[derive(Clone, Debug, Default)]
pub struct Visitor<'a> {
    /// Digest of the client's address.
    pub client: Option<&'a str>,
    /// Id of the conversation; its beginning is logged.
    pub session: Option<&'a str>,
    /// What [`QuestionLog::of`] made of the question.
    pub question: Option<&'a str>,
}

/// The line for a request: JSON without a line break.
pub fn log_line(
    served: &Served<'_>,
    context: &Context,
    trace: Option<&Trace>,
    visitor: &Visitor<'_>,
) -> String {
    let degraded = trace.map_or(&[] as &[_], Trace::degraded);
    let record = LogRecord {
        timestamp: timestamp(served.started + served.elapsed),
        level: match served.status {
            500.. => "error",
            _ if !degraded.is_empty() => "warn",
            _ => "info",
        },
        message: "request",
        request_id: served.request_id,
        trace_id: &context.trace_id,
        span_id: &context.span_id,
        parent_span_id: context.parent_id.as_deref(),
        method: labels::METHOD.fold(served.method),
        route: labels::HANDLER.fold(served.route),
        status: served.status,
        error_code: served.error_code,
        elapsed_ms: millis(served.elapsed),
        client: visitor.client,
        session: visitor.session.map(|id| id.chars().take(SESSION_CHARS).collect()),
        question: visitor.question,
        cache: trace.and_then(|trace| trace.outcome(super::Stage::Cache)),
        guard: trace.and_then(Trace::verdict),
        degraded,
        llm: trace.and_then(calls),
        stages: trace.map(Trace::view).unwrap_or_default(),
    };
    // Strings and numbers can always be written.
    serde_json::to_string(&record).unwrap_or_default()
}

/// The calls of language models in one: who answered, or was asked last, and what all cost.
fn calls(trace: &Trace) -> Option<CallsRecord<'_>> {
    let calls = trace.calls();
    let last = calls.last()?;
    Some(CallsRecord {
        provider: &last.provider,
        model: &last.model,
        calls: calls.len(),
        succeeded: last.succeeded,
        input_tokens: calls.iter().map(|call| call.input_tokens).sum(),
        output_tokens: calls.iter().map(|call| call.output_tokens).sum(),
        cost_usd: calls.iter().map(|call| call.micro_usd).sum::<u64>() as f64 / 1e6,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::executor::block_on;
    use http::HeaderMap;

    use super::*;
    use crate::{
        fakes::{MapConfig, SeededEntropy},
        telemetry::{Call, Stage},
    };

    fn context() -> Context {
        Context::incoming(&HeaderMap::new(), &SeededEntropy::new(1))
    }

    fn served(status: u16) -> Served<'static> {
        Served {
            request_id: "abc-1",
            method: "POST",
            route: "/chat",
            status,
            error_code: (status >= 400).then_some("unavailable"),
            started: Duration::from_millis(1_767_225_599_000),
            elapsed: Duration::from_micros(12_345),
            request_bytes: None,
            response_bytes: None,
        }
    }

    #[test]
    fn a_line_tells_everything_of_a_request() {
        let mut trace = Trace::new(Duration::ZERO);
        trace.stage(Stage::Cache, Duration::ZERO, Duration::from_millis(2)).outcome("miss");
        trace.stage(Stage::Guard, Duration::ZERO, Duration::ZERO).outcome("safe");
        trace.degrade("store");
        let call = Call {
            provider: "groq".to_owned(),
            model: "m".to_owned(),
            input_tokens: 700,
            output_tokens: 20,
            micro_usd: 1_500,
            ..Call::default()
        };
        trace.call(call.clone());
        trace.call(Call { succeeded: true, model: "n".to_owned(), ..call });
        let context = context();
        let visitor = Visitor {
            client: Some("5f3a"),
            session: Some("0123456789abcdef"),
            question: Some("line\nbreak \"and\" quote"),
        };
        let line = log_line(&served(200), &context, Some(&trace), &visitor);
        assert_eq!(line.lines().count(), 1);
        let expected = serde_json::json!({
            "timestamp": "2025-12-31T23:59:59.012Z",
            "level": "warn",
            "message": "request",
            "request_id": "abc-1",
            "trace_id": context.trace_id,
            "span_id": context.span_id,
            "method": "POST",
            "route": "/chat",
            "status": 200,
            "elapsed_ms": 12.345,
            "client": "5f3a",
            "session": "01234567",
            "question": "line\nbreak \"and\" quote",
            "cache": "miss",
            "guard": "safe",
            "degraded": ["store"],
            "provider": "groq",
            "model": "n",
            "calls": 2,
            "succeeded": true,
            "input_tokens": 1_400,
            "output_tokens": 40,
            "cost_usd": 0.003,
            "stages": [
                {"stage": "cache", "start_ms": 0.0, "duration_ms": 2.0, "outcome": "miss"},
                {"stage": "guard", "start_ms": 0.0, "duration_ms": 0.0, "outcome": "safe"},
            ],
        });
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), expected);
        assert!(line.starts_with("{\"timestamp\":"), "{line}");
    }

    #[test]
    fn levels_and_what_is_left_out() {
        let line = |served: &Served<'_>| log_line(served, &context(), None, &Visitor::default());
        let ended = line(&served(503));
        assert!(ended.contains("\"level\":\"error\"") && ended.contains("\"unavailable\""));
        for absent in ["session", "question", "client", "stages", "degraded", "model", "null"] {
            assert!(!ended.contains(absent), "{absent}: {ended}");
        }
        let strange = Served { route: "/users/jane@example.com", method: "JANE", ..served(404) };
        let ended = line(&strange);
        assert!(ended.contains("\"level\":\"info\"") && !ended.to_lowercase().contains("jane"));
    }

    #[test]
    fn questions_are_logged_by_policy() {
        let check = |value: Option<&str>, expected: Option<&str>| {
            let values = value.map(|value| (LOG_QUESTIONS.to_owned(), value.to_owned()));
            let config = MapConfig(values.into_iter().collect());
            let policy = block_on(QuestionLog::configured(&config)).unwrap();
            let redact = |text: &str| text.replace("jane@example.com", "[email]");
            let logged = policy.of("who is jane@example.com", redact);
            assert_eq!(logged.as_deref(), expected, "{value:?}");
        };
        check(None, None);
        check(Some("off"), None);
        check(Some("redacted"), Some("who is [email]"));
        check(Some("hash"), Some("e7d41e597dd8acf7"));
        let config = MapConfig([(LOG_QUESTIONS.to_owned(), "on".to_owned())].into());
        let fault = block_on(QuestionLog::configured(&config)).unwrap_err().to_string();
        assert_eq!(fault, "variable log_questions: expected off, hash or redacted, got \"on\"");
    }
}
