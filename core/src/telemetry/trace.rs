//! What happened in one question: the one account from which headers, metrics, logs and debug views
//! are made.

use std::{fmt::Write as _, time::Duration};

use super::{
    Call, Stage,
    metrics::{self, Metric, Snapshot},
};
use crate::wire::StepRecord;

/// The account of one question. Adding to it costs no more than a push to a list.
///
/// Times are readings of the caller's clock; one that was set back in between gives zero.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    started: Duration,
    steps: Vec<Step>,
    degraded: Vec<&'static str>,
    calls: Vec<Call>,
    store_reads: u32,
    store_writes: u32,
    marks: Vec<Mark>,
}

/// A stage that the question went through.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Step {
    /// Which.
    pub stage: Stage,
    /// From the question's start to its own.
    pub offset: Duration,
    /// How long it took.
    pub duration: Duration,
    /// How it ended, in a word of the stage's own; `None` where there is nothing to tell.
    pub outcome: Option<&'static str>,
}

/// Something that is counted when the question is over.
#[derive(Clone, Debug)]
struct Mark {
    metric: &'static Metric,
    labels: Vec<String>,
    value: f64,
}

impl Step {
    /// Tells how the stage ended.
    pub fn outcome(&mut self, outcome: &'static str) {
        self.outcome = Some(outcome);
    }
}

impl Trace {
    /// An empty account of a question that came in at `started`.
    pub fn new(started: Duration) -> Self {
        Self { started, ..Self::default() }
    }

    /// Appends a stage that lasted from `started` to `ended`.
    pub fn stage(&mut self, stage: Stage, started: Duration, ended: Duration) -> &mut Step {
        let offset = started.saturating_sub(self.started);
        let duration = ended.saturating_sub(started);
        self.steps.push_mut(Step { stage, offset, duration, outcome: None })
    }

    /// Notes once that the answer had to do without `part`.
    pub fn degrade(&mut self, part: &'static str) {
        if !self.degraded.contains(&part) {
            self.degraded.push(part);
        }
    }

    /// Notes a call of a language model.
    pub fn call(&mut self, call: Call) {
        self.calls.push(call);
    }

    /// Notes operations on the key-value store.
    pub fn store(&mut self, reads: u32, writes: u32) {
        self.store_reads += reads;
        self.store_writes += writes;
    }

    /// Counts something that is no stage, call or degradation; see [`Snapshot::record`].
    pub fn count(&mut self, metric: &'static Metric, labels: &[&str], value: f64) {
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        self.marks.push(Mark { metric, labels, value });
    }

    /// The stages in the order in which they ended.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What the answer had to do without.
    pub fn degraded(&self) -> &[&'static str] {
        &self.degraded
    }

    /// The calls of language models, in order.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// Writes to the key-value store so far.
    pub fn store_writes(&self) -> u32 {
        self.store_writes
    }

    /// Outcome of the last step of `stage`.
    pub fn outcome(&self, stage: Stage) -> Option<&'static str> {
        self.steps.iter().rev().find(|step| step.stage == stage)?.outcome
    }

    /// What the guard said, all its layers together: `blocked` where one of them did.
    pub fn verdict(&self) -> Option<&'static str> {
        let verdicts = [Stage::Guard, Stage::PromptGuard].map(|stage| self.outcome(stage));
        let blocked = verdicts.iter().find(|verdict| **verdict == Some("blocked"));
        blocked.copied().unwrap_or(verdicts[0])
    }

    /// The value of a `Server-Timing` header that is sent at `now`.
    pub fn server_timing(&self, now: Duration) -> String {
        let mut value = String::new();
        for step in &self.steps {
            // Writing to a string cannot fail.
            let _ = write!(value, "{};dur={}", step.stage.name(), tenths(step.duration));
            if let Some(outcome) = step.outcome {
                let _ = write!(value, ";desc=\"{outcome}\"");
            }
            value.push_str(", ");
        }
        let _ = write!(value, "total;dur={}", tenths(now.saturating_sub(self.started)));
        value
    }

    /// The stages for logs and debug views.
    pub fn view(&self) -> Vec<StepRecord> {
        let record = |step: &Step| StepRecord {
            stage: step.stage.name(),
            start_ms: millis(step.offset),
            duration_ms: millis(step.duration),
            outcome: step.outcome,
        };
        self.steps.iter().map(record).collect()
    }

    /// Counts everything. Called once, when the question is over.
    pub fn record(&self, snapshot: &mut Snapshot) {
        for step in &self.steps {
            let seconds = step.duration.as_secs_f64();
            snapshot.record(&metrics::STAGE_SECONDS, &[step.stage.name()], seconds);
            if let Some(histogram) = step.stage.histogram() {
                snapshot.record(histogram, &[], seconds);
            }
            if step.stage == Stage::Cache {
                snapshot.record(&metrics::RESPONSE_CACHE_SECONDS, &["get"], seconds);
            }
            if step.stage == Stage::Rerank {
                let method = step.outcome.unwrap_or("cross_encoder");
                snapshot.record(&metrics::RERANKS, &[method], 1.0);
                snapshot.record(&metrics::RERANK_SECONDS, &[method], seconds);
            }
        }
        if let Some(outcome @ ("hit" | "miss")) = self.outcome(Stage::Cache) {
            // Answers are cached for questions that need no session, and for no others.
            let metric = match outcome {
                "hit" => &metrics::RESPONSE_CACHE_HITS,
                _ => &metrics::RESPONSE_CACHE_MISSES,
            };
            snapshot.record(metric, &["false"], 1.0);
            snapshot.record(&metrics::CACHE_LOOKUPS, &["answer", outcome], 1.0);
        }
        if let Some(verdict) = self.verdict() {
            snapshot.record(&metrics::GUARD_CHECKS, &[verdict], 1.0);
        }
        for part in &self.degraded {
            snapshot.record(&metrics::DEGRADED, &[part], 1.0);
        }
        for call in &self.calls {
            call.record(snapshot);
        }
        for (operation, number) in [("read", self.store_reads), ("write", self.store_writes)] {
            snapshot.record(&metrics::STORE_OPERATIONS, &[operation], f64::from(number));
        }
        for mark in &self.marks {
            let labels: Vec<&str> = mark.labels.iter().map(String::as_str).collect();
            snapshot.record(mark.metric, &labels, mark.value);
        }
    }
}

/// Milliseconds, exact to the microsecond.
pub(super) fn millis(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1e3
}

/// Milliseconds with a digit after the point.
fn tenths(duration: Duration) -> String {
    format!("{:.1}", millis(duration))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::metrics::labels;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn trace() -> Trace {
        let mut trace = Trace::new(ms(1_000));
        trace.stage(Stage::Admit, ms(1_000), ms(1_002));
        trace.stage(Stage::Cache, ms(1_002), ms(1_003)).outcome("miss");
        trace.stage(Stage::Guard, ms(1_003), ms(1_003)).outcome("safe");
        trace.stage(Stage::Retrieve, ms(1_003), ms(1_033));
        trace.stage(Stage::Rerank, ms(1_033), ms(1_233)).outcome("cross_encoder");
        trace.degrade("dense");
        trace.degrade("dense");
        trace.store(2, 1);
        trace.store(0, 1);
        trace.count(&metrics::GROUNDING, &["true"], 1.0);
        trace.call(Call { provider: "groq".to_owned(), model: "m1".to_owned(), ..Call::default() });
        trace.call(Call {
            provider: "groq".to_owned(),
            model: "m2".to_owned(),
            succeeded: true,
            duration: ms(900),
            first_token: Some(ms(150)),
            input_tokens: 1_200,
            cached_tokens: 800,
            output_tokens: 90,
            micro_usd: 157,
        });
        trace
    }

    #[test]
    fn one_account_has_four_uses() {
        let trace = trace();
        assert_eq!(
            trace.server_timing(ms(1_234)),
            "admit;dur=2.0, cache;dur=1.0;desc=\"miss\", guard;dur=0.0;desc=\"safe\", \
             retrieve;dur=30.0, rerank;dur=200.0;desc=\"cross_encoder\", total;dur=234.0"
        );
        let view = trace.view();
        let retrieve = serde_json::to_value(&view[3]).unwrap();
        let expected =
            serde_json::json!({"stage": "retrieve", "start_ms": 3.0, "duration_ms": 30.0});
        assert_eq!(retrieve, expected);
        assert_eq!((trace.degraded(), trace.store_writes()), (["dense"].as_slice(), 2));

        let mut counted = Snapshot::default();
        trace.record(&mut counted);
        for (metric, labels, expected) in [
            (&metrics::STAGE_SECONDS, &["retrieve"] as &[&str], 1),
            (&metrics::RETRIEVAL_SECONDS, &[], 1),
            (&metrics::RERANKS, &["cross_encoder"], 1),
            (&metrics::RERANK_SECONDS, &["cross_encoder"], 1),
            (&metrics::RESPONSE_CACHE_MISSES, &["false"], 1),
            (&metrics::RESPONSE_CACHE_HITS, &["false"], 0),
            (&metrics::RESPONSE_CACHE_SECONDS, &["get"], 1),
            (&metrics::CACHE_LOOKUPS, &["answer", "miss"], 1),
            (&metrics::GUARD_CHECKS, &["safe"], 1),
            (&metrics::DEGRADED, &["dense"], 1),
            (&metrics::GROUNDING, &["true"], 1),
            (&metrics::STORE_OPERATIONS, &["read"], 2),
            (&metrics::STORE_OPERATIONS, &["write"], 2),
            (&metrics::LLM_REQUESTS, &["error", "groq:m1"], 1),
            (&metrics::LLM_REQUESTS, &["success", "groq:m2"], 1),
            (&metrics::LLM_SECONDS, &["success", "groq:m2"], 1),
            (&metrics::LLM_FIRST_TOKEN_SECONDS, &["groq:m1"], 0),
            (&metrics::LLM_FIRST_TOKEN_SECONDS, &["groq:m2"], 1),
            (&metrics::LLM_TOKENS, &["input", "groq:m2"], 1_200),
            (&metrics::LLM_TOKENS, &["output", "groq:m2"], 90),
            (&metrics::LLM_CACHED_TOKENS, &["groq:m2"], 800),
            (&metrics::LLM_COST, &["groq:m2"], 157),
        ] {
            assert_eq!(counted.value(metric, labels), expected, "{} {labels:?}", metric.name);
        }
    }

    #[test]
    fn verdicts() {
        let check = |outcomes: &[(Stage, &'static str)], expected: Option<&str>| {
            let mut trace = Trace::default();
            for (stage, outcome) in outcomes {
                trace.stage(*stage, ms(0), ms(0)).outcome(outcome);
            }
            assert_eq!(trace.verdict(), expected, "{outcomes:?}");
        };
        check(&[], None);
        check(&[(Stage::Guard, "safe")], Some("safe"));
        check(&[(Stage::Guard, "blocked")], Some("blocked"));
        check(&[(Stage::Guard, "safe"), (Stage::PromptGuard, "blocked")], Some("blocked"));
        check(&[(Stage::Guard, "safe"), (Stage::PromptGuard, "error")], Some("safe"));
    }

    #[test]
    fn every_stage_is_a_label() {
        use Stage::*;
        for stage in [
            Admit,
            Cache,
            Guard,
            PromptGuard,
            Understand,
            Rewrite,
            Encode,
            Retrieve,
            Rerank,
            Generate,
            Check,
            Record,
        ] {
            assert_eq!(labels::STAGE.fold(stage.name()), stage.name());
        }
    }

    #[test]
    fn a_clock_that_is_set_back_gives_zero() {
        let mut trace = Trace::new(ms(100));
        let step = trace.stage(Stage::Admit, ms(90), ms(80));
        assert_eq!((step.offset, step.duration), (ms(0), ms(0)));
        assert_eq!(trace.server_timing(ms(50)), "admit;dur=0.0, total;dur=0.0");
    }
}
