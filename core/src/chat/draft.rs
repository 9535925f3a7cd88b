//! A question that a model is to answer: what it is asked, who may be asked, and what is said without
//! it.

use std::time::Duration;

use super::{Question, Service, answer::Answer, gate::Gate, prepare::MODEL, present};
use crate::{
    answer::{
        CitationPolicy, Passage, Writer,
        prompt::{Exchange, NoRoom, Request, prompt},
    },
    guard::{self, Inspection, Output},
    llm::{Candidate, Completion, Effort, Message, Permit, State, estimate},
    ports::Env,
    retrieval::Retrieval,
    telemetry::Trace,
    understanding::Condensed,
    wire::{ChatSource, TurnRecord},
};

/// What a model is asked.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) candidates: Vec<Candidate<'a>>,
    pub(super) passages: Vec<Passage>,
    /// As the passages, numbered as in the prompt.
    pub(super) sources: Vec<ChatSource>,
    /// What is said where no model answers; set by whoever wrote it.
    pub(super) quoted: Answer,
    pub(super) granted: Option<Granted<'a>>,
    /// What the local guard said of the question.
    pub(super) inspection: Inspection,
    /// When it all must be over, by the clock; set by whoever knows when the question came.
    pub(super) deadline: Duration,
    pub(super) question: String,
    messages: Vec<Message>,
    temperature: f32,
    max_tokens: u32,
    effort: Effort,
}

/// Leave to ask one of the candidates.
#[derive(Debug)]
pub(super) struct Granted<'a> {
    /// Its position among the candidates.
    pub(super) at: usize,
    /// Those of its models that it is known to serve.
    pub(super) models: Vec<&'a str>,
    pub(super) permit: Permit,
}

impl<'a> Draft<'a> {
    /// Writes the prompt.
    ///
    /// # Errors
    /// [`NoRoom`] for one.
    pub(super) fn new<E: Env>(
        service: &Service<'a, E>,
        question: &Question,
        condensed: &Condensed,
        turns: &[TurnRecord],
        candidates: Vec<Candidate<'a>>,
        retrieval: &Retrieval,
    ) -> Result<Self, NoRoom> {
        let settings = &service.settings.completion;
        let index = service.index();
        let ordinals: Vec<usize> = retrieval.hits.iter().map(|hit| hit.ordinal).collect();
        let passages: Vec<Passage> =
            ordinals.iter().filter_map(|at| index.chunks().get(*at)).map(Passage::from).collect();
        let history: Vec<Exchange<'_>> = TurnRecord::told(turns)
            .map(|(question, answer)| Exchange { question, answer })
            .collect();
        let max_tokens = question.max_tokens.unwrap_or(settings.max_tokens);
        let written = prompt(&Request {
            question: &condensed.question,
            history: &history,
            passages: &passages,
            context_tokens: service.settings.answers.context_tokens,
            reply_tokens: max_tokens as usize,
            tokens: &estimate,
            neutralise: &|text| guard::prepare(text, service.settings.documents).text,
        })?;
        let effort = question.reasoning_effort.as_deref().and_then(Effort::parse);
        Ok(Self {
            candidates,
            sources: present::sources(index, retrieval, &ordinals[..written.passages.len()]),
            passages: written.passages,
            quoted: Answer::default(),
            granted: None,
            inspection: Inspection::default(),
            deadline: Duration::ZERO,
            question: condensed.question.clone(),
            messages: written.messages,
            temperature: question.temperature.unwrap_or(settings.temperature),
            max_tokens,
            effort: effort.unwrap_or(settings.effort),
        })
    }

    /// Whoever writes down what a model makes of it.
    pub(super) fn writer(&self, policy: CitationPolicy) -> Writer {
        Writer::new(&self.passages, &self.question, policy)
    }

    /// Whoever sees to it that nothing gets out that must not.
    pub(super) fn gate<E: Env>(&self, service: &Service<'a, E>) -> Gate<'a> {
        let passages: Vec<&str> = self.passages.iter().map(|it| it.text.as_str()).collect();
        let instance = service.instance;
        Gate::new(Output::new(&instance.rules, None, &passages, service.settings.personal))
    }

    /// What whoever is asked is asked.
    pub(super) fn completion<E: Env>(&self, service: &Service<'a, E>) -> Completion<'_> {
        Completion {
            messages: &self.messages,
            temperature: self.temperature,
            max_tokens: self.max_tokens,
            effort: self.effort,
            waits: service.settings.completion.waits,
            deadline: self.deadline,
        }
    }

    /// Reserves what the first candidate from `from` on takes, of those that may be asked; nothing
    /// where no time is left, for which no provider is to blame.
    pub(super) fn permit<E: Env>(
        &self,
        state: &mut State,
        service: &Service<'a, E>,
        from: usize,
        now: Duration,
    ) -> Option<Granted<'a>> {
        if now >= self.deadline {
            return None;
        }
        let completion = self.completion(service);
        let caps = service.settings.catalogue.caps();
        self.candidates.iter().enumerate().skip(from).find_map(|(at, candidate)| {
            let models = state.served(candidate, now);
            let want = candidate.provider.reservation(&models, &completion);
            let permit = state.permit(candidate.provider, want, caps, now).ok()?;
            Some(Granted { at, models, permit })
        })
    }

    /// Takes what was granted, if anything.
    pub(super) fn grant<E: Env>(
        &mut self,
        granted: Option<Granted<'a>>,
        service: &Service<'a, E>,
        trace: &mut Trace,
    ) {
        match granted.as_ref().and_then(|granted| granted.permit.warning()) {
            Some(quota) => service.env.warn(&format!("eight tenths of {} are used", quota.label())),
            None if granted.is_none() => trace.degrade(MODEL),
            None => {}
        }
        self.granted = granted;
    }
}
