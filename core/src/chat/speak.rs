//! From what will be said to what a visitor hears, event by event.

use std::{ops::ControlFlow, time::Duration};

use futures_util::{
    FutureExt as _,
    future::{LocalBoxFuture, Shared, join},
};

use super::{
    Service, Sink,
    answer::{Answer, Kind},
    draft::{Draft, Granted},
    gate::Gate,
    instance::Settled,
    prepare::{MODEL, Plan, Prepared},
    record::count_moves,
};
use crate::{
    answer::{Event, Report, Writer, fragments},
    guard::{Finding, REDIRECT, decide},
    llm::{Call, EXTRACTIVE, Fault, Listener, Outcome, State},
    policy,
    ports::Env,
    telemetry::{self, Stage, Trace, metrics},
    wire::{ChatResponse, StreamError, StreamFallback, StreamMetadata, StreamResult},
};

/// Providers asked for one question: each further one costs the visitor as much waiting again.
const PROVIDERS: u32 = 2;
/// Writes that a question may take; the last is kept for its turn.
pub(super) const WRITES: u32 = 3;

/// What was said.
#[derive(Clone, Debug, PartialEq)]
pub struct Spoken {
    /// The answer, as far as it came.
    pub response: ChatResponse,
    /// Whether it came to its end; a visitor who heard the beginning of one that did not was told.
    pub is_complete: bool,
}

impl<'a, E: Env> Service<'a, E> {
    /// Says what was prepared, asking a model where one is to be asked, and records it before the
    /// last event, so that a follow-up finds it.
    pub async fn speak(
        &self,
        prepared: Prepared<'a>,
        trace: &mut Trace,
        sink: &mut impl Sink,
    ) -> Spoken {
        let Prepared { plan, turn, place, rewrite, .. } = prepared;
        let mut opening = StreamMetadata {
            session_id: turn.session_id.clone(),
            rewrite_metadata: rewrite,
            ..StreamMetadata::default()
        };
        let answer = match plan {
            Plan::Say(answer) => {
                self.say(&answer, &opening, trace, sink).await;
                Ok(answer)
            }
            Plan::Ask(draft) => self.ask(*draft, &mut opening, trace, sink).await,
        };
        let (answer, is_complete) = match answer {
            Ok(answer) => (answer, true),
            Err(answer) => (answer, false),
        };
        if is_complete {
            self.record(&turn, &answer, place, trace).await;
        }
        trace.count(
            &metrics::ANSWERS,
            &[if answer.cached { "cached" } else { answer.kind.label() }],
            1.0,
        );
        trace.count(&metrics::GROUNDING, &[if answer.grounded { "true" } else { "false" }], 1.0);
        let response = respond(answer, opening, trace);
        sink.send(match is_complete {
            true => Event::Done,
            false => Event::Error(StreamError {
                detail: "Generation failed".to_owned(),
                error_code: "generation_failed".to_owned(),
            }),
        })
        .await;
        Spoken { response, is_complete }
    }

    /// Sends an answer that is ready.
    async fn say(
        &self,
        answer: &Answer,
        opening: &StreamMetadata,
        trace: &Trace,
        sink: &mut impl Sink,
    ) {
        sink.send(Event::Metadata(Box::new(described(opening, answer, trace)))).await;
        recite(&answer.text, sink).await;
        sink.send(Event::Result(Box::new(result(answer, trace)))).await;
    }

    /// Asks models in turn until one answers, and else quotes. `Err` has what a visitor heard of an
    /// answer that broke off.
    async fn ask(
        &self,
        mut draft: Draft<'a>,
        opening: &mut StreamMetadata,
        trace: &mut Trace,
        sink: &mut impl Sink,
    ) -> Result<Answer, Answer> {
        opening.sources = draft.sources.clone();
        let started = self.now();
        let mut granted = draft.granted.take();
        let mut scribe = Scribe {
            opening: Some(described(opening, &draft.quoted, trace)),
            writer: Some(draft.writer(self.settings.answers.citations)),
            gate: draft.gate(self),
            verdict: self.prompt_guard(&draft),
            is_blocked: false,
            sink,
            is_thinking: false,
            has_spoken: false,
        };
        let mut asked = 0;
        let mut failed: Option<&'static str> = None;
        while let Some(Granted { at, models, permit }) = granted.take() {
            let provider = draft.candidates[at].provider;
            if let Some(from) = failed {
                let model = models.first().copied().unwrap_or_default();
                scribe.fall_back(from, provider.name(), model, trace).await;
            }
            asked += 1;
            let completion = draft.completion(self);
            let call = Call { completion: &completion, models: &models, tries: permit.tries() };
            let outcome = match scribe.verdict.clone() {
                // Both at once: nothing is heard before Prompt Guard has spoken or its time is up.
                Some(verdict) => {
                    let completing = provider.complete(self.env, call, &mut scribe);
                    join(completing, verdict).await.0
                }
                None => provider.complete(self.env, call, &mut scribe).await,
            };
            self.account(&outcome, trace);
            let settled = Settled { permit, settlement: outcome.settlement(), at: self.now() };
            if let Some(verdict) = scribe.verdict.take() {
                self.note_verdict(verdict.await, &draft, trace);
            }
            if scribe.is_blocked {
                self.instance.settle([settled]);
                self.note(trace, Stage::Generate, started, None);
                let answer = Answer::canned(REDIRECT, Kind::Blocked);
                opening.sources.clear();
                match scribe.opening {
                    Some(_) => self.say(&answer, opening, trace, scribe.sink).await,
                    None => {
                        recite(&answer.text, scribe.sink).await;
                        self.conclude(&answer, trace, scribe.sink).await;
                    }
                }
                return Ok(answer);
            }
            let fault = match &outcome.result {
                Ok(_) => {
                    self.instance.settle([settled]);
                    match scribe.conclude().await {
                        Some(report) => {
                            self.note(trace, Stage::Generate, started, None);
                            let answer = written(report, &scribe, &draft, &outcome);
                            note_findings(scribe.gate.findings(), trace);
                            self.conclude(&answer, trace, scribe.sink).await;
                            return Ok(answer);
                        }
                        None => Fault::Empty,
                    }
                }
                Err(fault) => {
                    let may_go_on = !scribe.is_committed() && asked < PROVIDERS;
                    granted = self.next(&draft, at + 1, settled, may_go_on, trace).await;
                    fault.clone()
                }
            };
            self.env.warn(&format!("{} does not answer: {fault}", outcome.provider));
            failed = Some(outcome.provider);
            if scribe.is_committed() {
                self.note(trace, Stage::Generate, started, None);
                let report = scribe.end();
                let mut answer = written(report, &scribe, &draft, &outcome);
                // What was heard has numbers of its own, whether or not more follows.
                let heard = |number: usize| answer.text.contains(&format!("[{number}]"));
                answer.sources.retain(|source| heard(source.citation_index));
                if scribe.has_spoken && !answer.sources.is_empty() {
                    scribe.sink.send(Event::SourcesReorder(answer.sources.clone())).await;
                }
                return Err(answer);
            }
            scribe.writer = Some(draft.writer(self.settings.answers.citations));
            scribe.gate = draft.gate(self);
        }
        trace.degrade(MODEL);
        self.note(trace, Stage::Generate, started, None);
        scribe.fall_back(failed.unwrap_or(MODEL), EXTRACTIVE, EXTRACTIVE, trace).await;
        recite(&draft.quoted.text, scribe.sink).await;
        self.conclude(&draft.quoted, trace, scribe.sink).await;
        Ok(draft.quoted)
    }

    /// Asks Prompt Guard about the question, where it is configured and has not been asked yet.
    fn prompt_guard<'s>(&'s self, draft: &Draft<'a>) -> Option<Verdict<'s>> {
        let remote = self.settings.prompt_guard.as_ref()?;
        let (question, local) = (draft.question.clone(), draft.inspection);
        let known = self.instance.signal(&question);
        let asking = async move {
            let started = self.now();
            let signal = match known {
                Some(signal) => Ok(signal),
                None => remote.ask(self.env.http(), &question).await,
            };
            if let Ok(signal) = signal {
                self.instance.keep_signal(&question, signal);
            }
            Heard {
                is_blocked: decide(&local, signal.as_ref().ok().copied()).blocked(),
                fault: signal.err().map(|fault| fault.label()),
                was_known: known.is_some(),
                started,
                ended: self.now(),
            }
        };
        Some(asking.boxed_local().shared())
    }

    fn note_verdict(&self, heard: Heard, draft: &Draft<'a>, trace: &mut Trace) {
        let hit = if heard.was_known { "hit" } else { "miss" };
        trace.count(&metrics::PROMPT_GUARD_CACHE, &[hit], 1.0);
        let outcome = match heard.fault {
            Some(fault) => {
                let kind = if fault == "timed_out" { "timeout" } else { "api_error" };
                trace.count(&metrics::PROMPT_GUARD_ERRORS, &[kind], 1.0);
                trace.degrade("prompt_guard");
                self.env.warn(&format!("Prompt Guard gives no signal: {fault}"));
                "error"
            }
            None if heard.is_blocked => {
                let local = draft.inspection.reason.is_some();
                let layer = if local { "REGEX_BLOCK" } else { "PROMPT_GUARD_BLOCK" };
                trace.count(&metrics::GUARD_BLOCKED, &[layer], 1.0);
                "blocked"
            }
            None => "safe",
        };
        trace.stage(Stage::PromptGuard, heard.started, heard.ended).outcome(outcome);
    }

    /// Sends what is known of an answer after its text, the sources too: `metadata` had those of the
    /// prompt, of which the answer cites some, in an order of its own.
    async fn conclude(&self, answer: &Answer, trace: &Trace, sink: &mut impl Sink) {
        sink.send(Event::SourcesReorder(answer.sources.clone())).await;
        sink.send(Event::Result(Box::new(result(answer, trace)))).await;
    }

    /// Tells the other instances at once that a provider failed, and asks for leave to ask the next,
    /// in one write. Without a write to spare, what is to be told waits for the next question.
    async fn next(
        &self,
        draft: &Draft<'a>,
        from: usize,
        settled: Settled,
        may_go_on: bool,
        trace: &mut Trace,
    ) -> Option<Granted<'a>> {
        if trace.store_writes() + 2 > WRITES {
            self.instance.settle([settled]);
            return None;
        }
        let now = self.now();
        trace.store(1, 1);
        let outcome = policy::update(self.env.kv(), |shared| {
            State::change(&mut shared.llm, |state| {
                state.settle(&settled.permit, &settled.settlement, settled.at);
                if may_go_on { draft.permit(state, self, from, now) } else { None }
            })
        })
        .await;
        match outcome {
            Ok((granted, moves)) => {
                count_moves(&moves, trace);
                granted
            }
            Err(fault) => {
                self.settle_again([settled], &fault);
                self.without_ledger(&fault, trace);
                None
            }
        }
    }

    /// Keeps account of a call.
    pub(super) fn account(&self, outcome: &Outcome, trace: &mut Trace) {
        if !outcome.withdrawn.is_empty() {
            let models = outcome.withdrawn.join(", ");
            self.env.warn(&format!("{} no longer serves {models}", outcome.provider));
        }
        trace.call(telemetry::Call {
            provider: outcome.provider.to_owned(),
            model: outcome.model.clone(),
            succeeded: outcome.result.is_ok(),
            duration: outcome.elapsed,
            first_token: outcome.first_piece,
            input_tokens: outcome.usage.prompt,
            cached_tokens: outcome.usage.cached,
            output_tokens: outcome.usage.completion,
            micro_usd: outcome.micro_usd,
        });
    }
}

/// What Prompt Guard says, for all who wait for it.
type Verdict<'s> = Shared<LocalBoxFuture<'s, Heard>>;

/// What came of asking Prompt Guard.
#[derive(Clone, Copy, Debug)]
struct Heard {
    is_blocked: bool,
    fault: Option<&'static str>,
    was_known: bool,
    started: Duration,
    ended: Duration,
}

/// Writes down what a model says, and passes it on.
struct Scribe<'s, 'a, S> {
    /// What precedes the first word; taken when it is sent.
    opening: Option<StreamMetadata>,
    writer: Option<Writer>,
    gate: Gate<'a>,
    /// Whether the question is to be answered; taken once that is known.
    verdict: Option<Verdict<'s>>,
    is_blocked: bool,
    sink: &'s mut S,
    is_thinking: bool,
    has_spoken: bool,
}

impl<S: Sink> Scribe<'_, '_, S> {
    /// Waits until it is known whether the question is to be answered; `false` where it is not.
    async fn may_speak(&mut self) -> bool {
        if let Some(verdict) = self.verdict.clone() {
            self.is_blocked = verdict.await.is_blocked;
        }
        !self.is_blocked
    }

    /// Whether a visitor has heard something that cannot be taken back.
    fn is_committed(&self) -> bool {
        self.sink.is_live() && (self.has_spoken || self.is_thinking)
    }

    async fn open(&mut self) {
        if let Some(opening) = self.opening.take() {
            self.sink.send(Event::Metadata(Box::new(opening))).await;
        }
    }

    async fn speak(&mut self, text: String) {
        if text.is_empty() {
            return;
        }
        self.open().await;
        if std::mem::take(&mut self.is_thinking) {
            self.sink.send(Event::ThinkingDone).await;
        }
        self.has_spoken = true;
        self.sink.send(Event::Token(text)).await;
    }

    async fn fall_back(&mut self, from: &str, to: &str, model: &str, trace: &mut Trace) {
        trace.count(&metrics::FALLBACKS, &[from, to], 1.0);
        self.open().await;
        let fallback = StreamFallback {
            provider: to.to_owned(),
            model: model.to_owned(),
            reason: "primary_unavailable".to_owned(),
        };
        self.sink.send(Event::Fallback(fallback)).await;
    }

    /// The end of an answer; `None` where there is nothing in it to send, as when every sentence was
    /// left out. A client takes an answer without text for one that broke off, and so do we.
    async fn conclude(&mut self) -> Option<Report> {
        let report = self.end();
        if report.text.trim().is_empty() && !self.has_spoken {
            return None;
        }
        let mut rest = self.gate.pass(&report.rest.text);
        rest.push_str(&self.gate.finish());
        self.speak(rest).await;
        // Whatever was said, the gate may have kept all of it.
        (self.has_spoken || !self.gate.said().is_empty()).then_some(report)
    }

    fn end(&mut self) -> Report {
        self.writer.take().map(Writer::finish).unwrap_or_default()
    }
}

impl<S: Sink> Listener for Scribe<'_, '_, S> {
    async fn thinking(&mut self, text: String) -> ControlFlow<()> {
        if !self.may_speak().await {
            return ControlFlow::Break(());
        }
        // Thinking after the first word of an answer is no longer of interest.
        if !self.has_spoken {
            self.open().await;
            self.is_thinking = true;
            self.sink.send(Event::Thinking(text)).await;
        }
        ControlFlow::Continue(())
    }

    async fn text(&mut self, text: String) -> ControlFlow<()> {
        if !self.may_speak().await {
            return ControlFlow::Break(());
        }
        if let Some(released) = self.writer.as_mut().map(|writer| writer.push(&text)) {
            let passed = self.gate.pass(&released.text);
            self.speak(passed).await;
        }
        ControlFlow::Continue(())
    }
}

/// Sends a text that is ready, a few words at a time.
async fn recite(text: &str, sink: &mut impl Sink) {
    for fragment in fragments(text) {
        sink.send(Event::Token(fragment.to_owned())).await;
    }
}

fn note_findings(findings: &[Finding], trace: &mut Trace) {
    for finding in findings {
        trace.count(&metrics::OUTPUT_CHECKS, &[finding.label()], 1.0);
    }
    if findings.is_empty() {
        trace.count(&metrics::OUTPUT_CHECKS, &["passed"], 1.0);
    }
}

/// A model's answer, checked.
fn written<S>(
    report: Report,
    scribe: &Scribe<'_, '_, S>,
    draft: &Draft<'_>,
    outcome: &Outcome,
) -> Answer {
    let sources = report.cited.iter().zip(1..).filter_map(|(at, number)| {
        let source = draft.sources.get(*at)?.clone();
        Some(crate::wire::ChatSource { citation_index: number, ..source })
    });
    Answer {
        sources: if report.refusal { Vec::new() } else { sources.collect() },
        grounded: report.grounded,
        confidence: Some(if report.grounded { report.confidence } else { 0.0 }),
        unsupported: report.unsupported().map(|it| it.text.clone()).collect(),
        kind: if report.refusal { Kind::Refusal } else { Kind::Model },
        provider: outcome.provider.to_owned(),
        model: outcome.model.clone(),
        cached: false,
        text: scribe.gate.said().to_owned(),
    }
}

/// What is known before the first word.
fn described(opening: &StreamMetadata, answer: &Answer, trace: &Trace) -> StreamMetadata {
    let asks = answer.ambiguity().is_some();
    StreamMetadata {
        sources: if opening.sources.is_empty() {
            answer.sources.clone()
        } else {
            opening.sources.clone()
        },
        grounded: answer.grounded,
        confidence: answer.confidence,
        is_ambiguous: asks,
        clarification_requested: asks,
        degraded: degraded(trace),
        ..opening.clone()
    }
}

/// What is known after the last word.
fn result(answer: &Answer, trace: &Trace) -> StreamResult {
    StreamResult {
        grounded: answer.grounded,
        confidence: answer.confidence,
        unsupported: answer.unsupported.clone(),
        provider: answer.provider.clone(),
        model: answer.model.clone(),
        cached: answer.cached,
        degraded: degraded(trace),
    }
}

fn respond(answer: Answer, opening: StreamMetadata, trace: &Trace) -> ChatResponse {
    ChatResponse {
        ambiguity: answer.ambiguity(),
        answer: answer.text,
        sources: answer.sources,
        grounded: answer.grounded,
        confidence: answer.confidence,
        session_id: opening.session_id,
        rewrite_metadata: opening.rewrite_metadata,
        unsupported: answer.unsupported,
        provider: answer.provider,
        model: answer.model,
        cached: answer.cached,
        degraded: degraded(trace),
    }
}

fn degraded(trace: &Trace) -> Vec<String> {
    trace.degraded().iter().map(|part| (*part).to_owned()).collect()
}
