//! From a question to what will be said, or to whom it will be put.
//!
//! Limits are looked at first and claimed last, together with what a model may cost: a question that
//! is refused costs a read, one that is admitted one write.

use std::{rc::Rc, time::Duration};

use super::{
    Asked, Conversation, Question, Service,
    answer::{Answer, Kind},
    draft::{Draft, Granted},
    instance::Settled,
    present,
};
use crate::{
    RequestError,
    answer::{extract, prompt::PROMPT_VERSION},
    cache::{AnswerKey, Boarding},
    guard::{ENCODER, Inspection, REDIRECT, Reason, inspect, join, semantic},
    llm::{Candidate, State},
    policy::{self, Claim, LedgerFault, Refusal, Standing},
    ports::Env,
    retrieval::{Mode, Query, Retrieval},
    session::{self, Session, SessionKey},
    telemetry::{Stage, Trace, metrics},
    understanding::{
        Condensed, Rewriter, Subject, ambiguity, chit_chat, condense, deny, existence, premise,
    },
    wire::{AnswerRecord, FieldError, RewriteMetadata, TurnRecord},
};

/// Named in `degraded` when conversations, limits or caches cannot be read or written.
pub(super) const STORE: &str = "store";
/// Named in `degraded` when a model should have answered and none could be asked.
pub(super) const MODEL: &str = "llm";
/// The answerer without a model, as providers and models are named.
pub(super) const EXTRACTIVE: &str = "extractive";

/// A question that was let in, and what will be said to it.
#[derive(Debug)]
pub struct Prepared<'a> {
    /// What is left of the limits.
    pub standing: Standing,
    pub(super) plan: Plan<'a>,
    pub(super) turn: Turn,
    /// Where the answer will be kept for others, with the right to be the one who gives it.
    pub(super) place: Option<Place<'a>>,
    pub(super) rewrite: Option<RewriteMetadata>,
}

/// What will be said.
#[derive(Debug)]
pub(super) enum Plan<'a> {
    /// This.
    Say(Answer),
    /// What a model makes of the passages, or what is quoted from them without one.
    Ask(Box<Draft<'a>>),
}

/// What is known of the conversation.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) session_id: String,
    /// `None` where nothing is kept.
    pub(super) key: Option<SessionKey>,
    pub(super) question: String,
    pub(super) asked_at: Duration,
}

/// Where an answer is kept.
#[derive(Debug)]
pub(super) struct Place<'a> {
    pub(super) name: String,
    pub(super) boarding: Boarding<'a>,
}

impl<'a, E: Env> Service<'a, E> {
    /// Lets a question in and works out what to say, short of asking a model.
    ///
    /// # Errors
    /// [`RequestError::Invalid`] for a model that may not be asked; [`RequestError::RateLimited`].
    pub async fn prepare(
        &self,
        asked: Asked,
        trace: &mut Trace,
    ) -> Result<Prepared<'a>, RequestError> {
        let Asked { question, visitor, conversation } = asked;
        let candidates = self.candidates(question.model.as_deref())?;
        let started = self.now();
        let id = question.session_id.clone().unwrap_or_else(|| session::new_id(self.env.entropy()));
        let key = SessionKey::new(&id, visitor);
        // Limits of a conversation need one; a caller who keeps his own may name himself instead.
        let counted = matches!(conversation, Conversation::Kept) || question.session_id.is_some();
        let claim = Claim { session: counted.then(|| key.hash()), address: visitor.address };
        self.check(claim, started, trace).await?;
        let session = self.load(&question, &key, conversation.clone(), trace).await;
        self.note(trace, Stage::Admit, started, None);

        let mut prepared = Prepared {
            standing: Standing::default(),
            plan: Plan::Say(Answer::default()),
            turn: Turn {
                session_id: id,
                key: matches!(conversation, Conversation::Kept).then_some(key),
                question: question.text.clone(),
                asked_at: started,
            },
            place: None,
            rewrite: None,
        };
        let turns = session.history(&self.settings.limits, crate::llm::estimate);
        self.plan(&question, turns, candidates, &mut prepared, trace).await;
        prepared.standing = self.admit(claim, &mut prepared, trace).await?;
        Ok(prepared)
    }

    /// Finds who may be asked; nobody where no model is configured or wanted.
    fn candidates(&self, wanted: Option<&str>) -> Result<Vec<Candidate<'a>>, RequestError> {
        if wanted.is_some_and(|wanted| wanted.eq_ignore_ascii_case(EXTRACTIVE)) {
            return Ok(Vec::new());
        }
        self.settings.catalogue.choose(wanted).map_err(|unknown| {
            let field = FieldError { field: "model".to_owned(), message: unknown.to_string() };
            RequestError::Invalid { fields: vec![field] }
        })
    }

    /// Refuses most of what must be refused, before anything is done for it.
    async fn check(
        &self,
        claim: Claim,
        now: Duration,
        trace: &mut Trace,
    ) -> Result<(), RequestError> {
        trace.store(1, 0);
        let limits = &self.settings.limits;
        let refused = match policy::read(self.env.kv()).await {
            Ok(shared) => shared.ledger.check(claim, limits, now).is_err(),
            // Whoever claims later will hear of it.
            Err(_) => false,
        };
        if !refused {
            return Ok(());
        }
        // Claims in vain, so that whoever does not wait is noticed.
        let claimed = policy::update(self.env.kv(), |it| it.ledger.claim(claim, limits, now)).await;
        match claimed {
            Ok(Err(refusal)) => Err(refused_by(refusal, trace)),
            Ok(Ok(_)) | Err(_) => Ok(()),
        }
    }

    async fn load(
        &self,
        question: &Question,
        key: &SessionKey,
        conversation: Conversation,
        trace: &mut Trace,
    ) -> Session {
        match (conversation, &question.session_id) {
            (Conversation::Sent(turns), _) => Session { turns, ..Session::default() },
            (Conversation::Kept, Some(_)) => {
                trace.store(1, 0);
                let now = self.now();
                let session = Session::load(self.env.kv(), key, now).await.unwrap_or_else(|_| {
                    trace.degrade(STORE);
                    Session::default()
                });
                let operation = if session.questions == 0 { "created" } else { "retrieved" };
                trace.count(&metrics::SESSION_OPERATIONS, &[operation], 1.0);
                trace.count(&metrics::SESSION_QUERIES, &[], f64::from(session.questions + 1));
                if session.questions > 0 {
                    let age = now.saturating_sub(session.started).as_secs_f64();
                    trace.count(&metrics::SESSION_SECONDS, &[], age);
                }
                session
            }
            (Conversation::Kept, None) => {
                trace.count(&metrics::SESSION_OPERATIONS, &["created"], 1.0);
                Session::default()
            }
            (Conversation::None, _) => Session::default(),
        }
    }

    /// Works out what to say.
    async fn plan(
        &self,
        question: &Question,
        turns: &[TurnRecord],
        candidates: Vec<Candidate<'a>>,
        prepared: &mut Prepared<'a>,
        trace: &mut Trace,
    ) {
        let earlier = turns.last().map(|turn| turn.question.as_str());
        let inspection = self.inspect(&question.text, earlier, trace);
        if inspection.reason.is_some() {
            prepared.plan = Plan::Say(Answer::canned(REDIRECT, Kind::Blocked));
            return;
        }
        let started = self.now();
        if let Some(answer) = self.small_talk(question, !turns.is_empty(), trace) {
            self.note(trace, Stage::Understand, started, None);
            prepared.plan = Plan::Say(answer);
            return;
        }
        let mut condensed = condense(&question.text, turns, self.index());
        self.note(trace, Stage::Understand, started, None);

        let model =
            candidates.first().map_or(EXTRACTIVE, |it| it.models.first().unwrap_or(&EXTRACTIVE));
        if condensed.leaned_on == 0
            && let Some(record) = self.known(question, model, prepared, trace).await
        {
            prepared.plan = Plan::Say(Answer::cached(&record));
            return;
        }
        // An answer that is known was let in before; for the others the encoder is asked anyway.
        let inspection = self.inspect_meaning(question, inspection, trace);
        if inspection.reason.is_some() {
            prepared.place = None;
            prepared.plan = Plan::Say(Answer::canned(REDIRECT, Kind::Blocked));
            return;
        }
        let started = self.now();
        if condensed.needs_llm && !candidates.is_empty() {
            let filled = self.fill_in(&question.text, turns, &candidates, trace).await;
            condensed.search = filled.unwrap_or(condensed.search);
            self.note(trace, Stage::Understand, started, None);
        }
        let started = self.now();
        let rewrite = Rewriter::shipped().rewrite(&condensed.search, self.index());
        trace.count(&metrics::REWRITES, &[if rewrite.is_some() { "true" } else { "false" }], 1.0);
        self.note(trace, Stage::Rewrite, started, None);
        let text = rewrite.as_ref().map_or(&condensed.search, |it| &it.text);
        let query =
            Query { text, top_k: question.top_k, filters: &question.filters, mode: Mode::Hybrid };
        let retrieval = self.retrieve(&query, trace).await;
        if let Some(rewrite) = rewrite {
            let name = rewrite.metadata.pattern_name.as_str();
            trace.count(&metrics::REWRITE_PATTERNS, &[name], 1.0);
            prepared.rewrite = Some(rewrite.metadata);
        }
        prepared.plan = self.decide(question, &condensed, turns, candidates, retrieval, trace);
        if let Plan::Ask(draft) = &mut prepared.plan {
            draft.inspection = inspection;
        }
    }

    /// What the local guard says of a question's words.
    fn inspect(&self, question: &str, earlier: Option<&str>, trace: &mut Trace) -> Inspection {
        let started = self.now();
        let inspection = inspect(question, earlier);
        trace.count(&metrics::PROMPT_GUARD_CHARS, &[], question.chars().count() as f64);
        self.note_inspection(&inspection, started, trace);
        inspection
    }

    /// What it says in the end, with the question's meaning where there is an encoder to read it.
    fn inspect_meaning(
        &self,
        question: &Question,
        inspection: Inspection,
        trace: &mut Trace,
    ) -> Inspection {
        let query = Query { text: &question.text, mode: Mode::Hybrid, ..Query::default() };
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

    /// What needs no documents: courtesies, and questions that say too little.
    fn small_talk(
        &self,
        question: &Question,
        has_history: bool,
        trace: &mut Trace,
    ) -> Option<Answer> {
        let index = self.index();
        if let Some(reply) = chit_chat(&question.text, &Subject::of(index)) {
            return Some(Answer::canned(reply.text, Kind::ChitChat));
        }
        let clarification = ambiguity(&question.text, has_history, index);
        let result = if clarification.is_some() { "ambiguous" } else { "clear" };
        trace.count(&metrics::AMBIGUITY_CHECKS, &[result], 1.0);
        let clarification = clarification?;
        trace.count(&metrics::CLARIFICATIONS, &[], 1.0);
        Some(Answer::canned(clarification.text, Kind::Clarification))
    }

    /// Looks for an answer given before. Where there is none, this question gets the right to be the
    /// one that is answered for all equal ones.
    async fn known(
        &self,
        question: &Question,
        model: &str,
        prepared: &mut Prepared<'a>,
        trace: &mut Trace,
    ) -> Option<Rc<AnswerRecord>> {
        if self.settings.cache_life.is_zero() {
            return None;
        }
        let started = self.now();
        let completion = &self.settings.completion;
        let options = format!(
            "{:?} {:?} {:?} {:?}",
            question.temperature.unwrap_or(completion.temperature),
            question.max_tokens.unwrap_or(completion.max_tokens),
            question.reasoning_effort,
            self.settings.answers,
        );
        let name = AnswerKey {
            question: &question.text,
            top_k: question.top_k,
            filters: &question.filters,
            corpus: &self.index().header().corpus,
            model,
            options: &options,
            version: PROMPT_VERSION,
        }
        .name();
        let cache = &self.instance.answers;
        let mut found = cache.recent(&name, started);
        if found.is_none() {
            let boarding = self.instance.flights.board(&name).await;
            if boarding.waited {
                found = cache.recent(&name, self.now());
            }
            if found.is_none() {
                trace.store(1, 0);
                found = match cache.find(self.env.kv(), &name, self.now()).await {
                    Ok(found) => found.map(|(record, _)| record),
                    Err(_) => {
                        trace.degrade(STORE);
                        trace.count(&metrics::RESPONSE_CACHE_ERRORS, &["get"], 1.0);
                        None
                    }
                };
            }
            if found.is_none() {
                prepared.place = Some(Place { name, boarding });
            }
        }
        let outcome = if found.is_some() { "hit" } else { "miss" };
        self.note(trace, Stage::Cache, started, Some(outcome));
        found
    }

    /// Decides by the passages found.
    fn decide(
        &self,
        question: &Question,
        condensed: &Condensed,
        turns: &[TurnRecord],
        candidates: Vec<Candidate<'a>>,
        retrieval: Retrieval,
        trace: &mut Trace,
    ) -> Plan<'a> {
        let index = self.index();
        let confidence = retrieval.evidence.confidence();
        trace.count(&metrics::RETRIEVAL_CHUNKS, &[], retrieval.hits.len() as f64);
        let quote = |text, cited: &[usize], kind| {
            Plan::Say(Answer {
                text,
                sources: present::sources(index, &retrieval, cited),
                grounded: true,
                confidence: Some(confidence),
                kind,
                ..Answer::default()
            })
        };
        // What the visitor wrote, not what is searched for: "Do I have a PhD?" must stay that.
        let original = &condensed.question;
        if let Some(denial) = existence(original).and_then(|it| deny(&it, index, &retrieval)) {
            return quote(denial.text, &denial.cited, Kind::Correction);
        }
        if let Some(correction) = premise(original, index, &retrieval) {
            return quote(correction.text, &correction.cited, Kind::Correction);
        }
        let extract = match retrieval.evidence.suffices() {
            true => extract(index, &condensed.search, &retrieval),
            false => crate::answer::Extract::default(),
        };
        if extract.cited.is_empty() {
            return Plan::Say(Answer {
                text: present::refuse(index, &retrieval.hits),
                confidence: Some(confidence),
                kind: Kind::Refusal,
                ..Answer::default()
            });
        }
        let quoted = Answer {
            text: extract.text,
            sources: present::sources(index, &retrieval, &extract.cited),
            grounded: true,
            confidence: Some(confidence),
            kind: Kind::Extractive,
            ..Answer::default()
        };
        if candidates.is_empty() {
            return Plan::Say(quoted);
        }
        let draft = Draft::new(self, question, condensed, turns, candidates, &retrieval, quoted);
        match draft {
            Ok(draft) => Plan::Ask(Box::new(draft)),
            Err((quoted, fault)) => {
                self.env.warn(&format!("no model is asked: {fault}"));
                trace.degrade(MODEL);
                Plan::Say(quoted)
            }
        }
    }

    /// Enters the question in the ledger: the one write before the answer. Tells the other instances
    /// what became of earlier permits, and reserves what a model may cost.
    async fn admit(
        &self,
        claim: Claim,
        prepared: &mut Prepared<'a>,
        trace: &mut Trace,
    ) -> Result<Standing, RequestError> {
        let started = self.now();
        let limits = &self.settings.limits;
        let settled = self.instance.take_settlements();
        trace.store(1, 1);
        let outcome = policy::update(self.env.kv(), |shared| {
            let standing = shared.ledger.claim(claim, limits, started)?;
            let granted = self.reserve(&mut shared.llm, &settled, prepared, started);
            Ok((standing, granted))
        })
        .await;
        let (standing, granted) = match outcome {
            Ok(Ok(admitted)) => admitted,
            Ok(Err(refusal)) => {
                self.instance.settle(settled);
                return Err(refused_by(refusal, trace));
            }
            Err(fault) => {
                self.instance.settle(settled);
                self.without_ledger(&fault, trace);
                (Standing::default(), None)
            }
        };
        if let Plan::Ask(draft) = &mut prepared.plan {
            draft.grant(granted, self, trace);
        }
        self.note(trace, Stage::Admit, started, None);
        Ok(standing)
    }

    /// Settles earlier permits, and asks for one where a model is to be asked.
    fn reserve(
        &self,
        bytes: &mut Vec<u8>,
        settled: &[Settled],
        prepared: &Prepared<'a>,
        now: Duration,
    ) -> Option<Granted<'a>> {
        let draft = match &prepared.plan {
            Plan::Ask(draft) => Some(draft),
            Plan::Say(_) if settled.is_empty() => return None,
            Plan::Say(_) => None,
        };
        // What cannot be read counts as none, as in the ledger: windows begin anew.
        let mut state = State::decode(bytes).unwrap_or_default();
        settled.iter().for_each(|it| state.settle(&it.permit, &it.settlement, it.at));
        let granted = draft.and_then(|draft| draft.permit(&mut state, self, 0, now));
        if let Ok(encoded) = state.encode() {
            *bytes = encoded;
        }
        granted
    }

    /// Without the ledger nothing can be reserved, so no model is asked: caps hold, come what may.
    pub(super) fn without_ledger(&self, fault: &LedgerFault, trace: &mut Trace) {
        self.env.warn(&format!("questions are answered without limits and models: {fault}"));
        trace.degrade(STORE);
    }
}

pub(super) fn refused_by(refusal: Refusal, trace: &mut Trace) -> RequestError {
    trace.count(&metrics::LIMIT_VIOLATIONS, &[refusal.limit.label()], 1.0);
    RequestError::RateLimited { refusal }
}
