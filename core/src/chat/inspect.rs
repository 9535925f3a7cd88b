//! The local guard's two looks at a question: its words first, its meaning where it is encoded anyway.

use std::time::Duration;

use super::Service;
use crate::{
    guard::{ENCODER, Inspection, Reason, inspect, join, semantic},
    ports::Env,
    retrieval::{Mode, Query},
    telemetry::{Stage, Trace, metrics},
};

impl<E: Env> Service<'_, E> {
    /// What the guard says of a question's words.
    pub(super) fn inspect(
        &self,
        question: &str,
        earlier: Option<&str>,
        trace: &mut Trace,
    ) -> Inspection {
        let started = self.now();
        let inspection = inspect(question, earlier);
        trace.count(&metrics::PROMPT_GUARD_CHARS, &[], question.chars().count() as f64);
        self.note_inspection(&inspection, started, trace);
        inspection
    }

    /// What it says in the end, with the meaning where there is an encoder to read it.
    ///
    /// `text` is what retrieval reads: its vectors are kept in the instance, so they are made once
    /// for both. It may have words of the documents and of questions before added to the visitor's.
    pub(super) fn inspect_meaning(
        &self,
        text: &str,
        inspection: Inspection,
        trace: &mut Trace,
    ) -> Inspection {
        let query = Query { text, mode: Mode::Hybrid, ..Query::default() };
        let known = self.index().check_model(Some(ENCODER)).is_ok();
        let encoded = if known { self.encode(&query, trace) } else { None };
        let started = self.now();
        let inspection = join(inspection, encoded.and_then(|it| semantic(&it)));
        self.note_inspection(&inspection, started, trace);
        inspection
    }

    fn note_inspection(&self, inspection: &Inspection, started: Duration, trace: &mut Trace) {
        let outcome = if inspection.reason.is_some() { "blocked" } else { "safe" };
        if let Some(reason) = inspection.reason {
            let layer = match reason {
                Reason::Classifier => "CLASSIFIER_BLOCK",
                _ => "REGEX_BLOCK",
            };
            trace.count(&metrics::GUARD_BLOCKED, &[layer], 1.0);
            trace.count(&metrics::SECURITY_EVENTS, &["jailbreak_attempt", "medium"], 1.0);
        }
        self.note(trace, Stage::Guard, started, Some(outcome));
    }
}
