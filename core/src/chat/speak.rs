//! From what will be said to what a visitor hears, event by event.

use std::ops::ControlFlow;

use super::{
    Service, Sink,
    answer::{Answer, Kind},
    draft::{Draft, Granted},
    instance::Settled,
    prepare::{EXTRACTIVE, MODEL, Plan, Prepared},
};
use crate::{
    answer::{Event, Report, Writer, fragments},
    llm::{Call, Fault, Listener, Outcome, State},
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
        self.recite(answer, sink).await;
        sink.send(Event::Result(Box::new(result(answer, trace)))).await;
    }

    /// Sends the text of an answer that is ready, after `metadata`.
    async fn recite(&self, answer: &Answer, sink: &mut impl Sink) {
        for fragment in fragments(&answer.text) {
            sink.send(Event::Token(fragment.to_owned())).await;
        }
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
            let outcome = provider.complete(self.env, call, &mut scribe).await;
            self.account(&outcome, trace);
            let settled = Settled { permit, settlement: outcome.settlement(), at: self.now() };
            let fault = match &outcome.result {
                Ok(_) => {
                    self.instance.settle([settled]);
                    match scribe.conclude().await {
                        Some(report) => {
                            self.note(trace, Stage::Generate, started, None);
                            let answer = written(report, &draft, &outcome);
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
                return Err(written(report, &draft, &outcome));
            }
            scribe.writer = Some(draft.writer(self.settings.answers.citations));
        }
        trace.degrade(MODEL);
        self.note(trace, Stage::Generate, started, None);
        scribe.fall_back(failed.unwrap_or(MODEL), EXTRACTIVE, EXTRACTIVE, trace).await;
        self.recite(&draft.quoted, scribe.sink).await;
        self.conclude(&draft.quoted, trace, scribe.sink).await;
        Ok(draft.quoted)
    }

    /// Sends what is known of an answer after its text, the sources too: `metadata` had those of the
    /// prompt, of which the answer cites some, in an order of its own.
    async fn conclude(&self, answer: &Answer, trace: &Trace, sink: &mut impl Sink) {
        if !answer.sources.is_empty() {
            sink.send(Event::SourcesReorder(answer.sources.clone())).await;
        }
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
            let mut state = State::decode(&shared.llm).unwrap_or_default();
            state.settle(&settled.permit, &settled.settlement, settled.at);
            let granted = if may_go_on { draft.permit(&mut state, self, from, now) } else { None };
            if let Ok(encoded) = state.encode() {
                shared.llm = encoded;
            }
            granted
        })
        .await;
        outcome.unwrap_or_else(|fault| {
            self.settle_again([settled], &fault);
            self.without_ledger(&fault, trace);
            None
        })
    }

    /// Keeps account of a call.
    fn account(&self, outcome: &Outcome, trace: &mut Trace) {
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

/// Writes down what a model says, and passes it on.
struct Scribe<'s, S> {
    /// What precedes the first word; taken when it is sent.
    opening: Option<StreamMetadata>,
    writer: Option<Writer>,
    sink: &'s mut S,
    is_thinking: bool,
    has_spoken: bool,
}

impl<S: Sink> Scribe<'_, S> {
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
        self.speak(report.rest.text.clone()).await;
        Some(report)
    }

    fn end(&mut self) -> Report {
        self.writer.take().map(Writer::finish).unwrap_or_default()
    }
}

impl<S: Sink> Listener for Scribe<'_, S> {
    async fn thinking(&mut self, text: String) -> ControlFlow<()> {
        // Thinking after the first word of an answer is no longer of interest.
        if !self.has_spoken {
            self.open().await;
            self.is_thinking = true;
            self.sink.send(Event::Thinking(text)).await;
        }
        ControlFlow::Continue(())
    }

    async fn text(&mut self, text: String) -> ControlFlow<()> {
        if let Some(released) = self.writer.as_mut().map(|writer| writer.push(&text)) {
            self.speak(released.text).await;
        }
        ControlFlow::Continue(())
    }
}

/// A model's answer, checked.
fn written(report: Report, draft: &Draft<'_>, outcome: &Outcome) -> Answer {
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
        text: report.text,
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
