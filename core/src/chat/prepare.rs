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
    record::count_moves,
};
use crate::{
    RequestError,
    answer::{extract, prompt::PROMPT_VERSION},
    cache::{AnswerKey, Boarding},
    guard::REDIRECT,
    llm::{Candidate, EXTRACTIVE, State, Transition},
    policy::{self, Claim, LedgerFault, Refusal, Standing},
    ports::{Clock as _, Env},
    retrieval::{Mode, Query, Retrieval},
    session::{self, Session, SessionKey},
    telemetry::{Stage, Trace, metrics},
    understanding::{
        Condensed, Rewriter, ambiguity, chit_chat, condense, deny, existence, premise,
    },
    wire::{AnswerRecord, FieldError, RewriteMetadata, TurnRecord},
};

/// Named in `degraded` when conversations, limits or caches cannot be read or written.
pub(super) const STORE: &str = "store";
/// Named in `degraded` when a model should have answered and none could be asked.
pub(super) const MODEL: &str = "llm";
/// Longest wait for somebody else's answer to the same question: what a model takes that answers at
/// all. Whoever waits longer has four fifths of the time left to ask for himself.
const PATIENCE: Duration = Duration::from_secs(5);
/// Time between two looks whether it is there.
const TURN: Duration = Duration::from_millis(10);

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
    /// What it was understood as, if it leans on those before it.
    pub(super) about: Option<String>,
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
                about: None,
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
        let mut inspection = self.inspect(&question.text, earlier, trace);
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
        // A model that fills in reads the question first, so here its meaning costs a pass of its own.
        let fills_in = condensed.needs_llm && !candidates.is_empty();
        if fills_in {
            inspection = self.inspect_meaning(&question.text, inspection, trace);
        }
        let started = self.now();
        if fills_in && inspection.reason.is_none() {
            let filled = self.fill_in(&question.text, turns, &candidates, trace).await;
            condensed.search = filled.unwrap_or(condensed.search);
            self.note(trace, Stage::Understand, started, None);
        }
        if condensed.may_stand_alone && !fills_in && self.stands_alone(question, trace) {
            condensed = Condensed::alone(&question.text);
        }
        prepared.turn.about = condensed.about(turns);
        let started = self.now();
        let rewrite = Rewriter::shipped().rewrite(&condensed.search, self.index());
        trace.count(&metrics::REWRITES, &[if rewrite.is_some() { "true" } else { "false" }], 1.0);
        self.note(trace, Stage::Rewrite, started, None);
        let text = rewrite.as_ref().map_or(&condensed.search, |it| &it.text);
        if !fills_in {
            inspection = self.inspect_meaning(text, inspection, trace);
        }
        if inspection.reason.is_some() {
            prepared.place = None;
            prepared.plan = Plan::Say(Answer::canned(REDIRECT, Kind::Blocked));
            return;
        }
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
            // Whoever waited for another's answer has so much less time for his own.
            draft.deadline = prepared.turn.asked_at + self.settings.completion.waits.total;
        }
    }

    /// Whether the documents answer the question as it is, without what was said before it.
    fn stands_alone(&self, question: &Question, trace: &mut Trace) -> bool {
        let query = Query {
            text: &question.text,
            top_k: question.top_k,
            filters: &question.filters,
            mode: Mode::Hybrid,
        };
        let encoded = self.encode(&query, trace);
        let started = self.now();
        let retrieval = self.retriever.search_encoded(&query, encoded.as_deref());
        self.note(trace, Stage::Understand, started, None);
        retrieval.evidence.suffices()
    }

    /// What needs no documents: courtesies, and questions that say too little.
    fn small_talk(
        &self,
        question: &Question,
        has_history: bool,
        trace: &mut Trace,
    ) -> Option<Answer> {
        let index = self.index();
        if let Some(reply) = chit_chat(&question.text, &index.header().subject) {
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
            "{:?} {:?} {:?} {:?} {:?} {:?}",
            question.temperature.unwrap_or(completion.temperature),
            question.max_tokens.unwrap_or(completion.max_tokens),
            question.reasoning_effort,
            self.settings.answers,
            self.settings.documents,
            self.settings.personal,
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
            let boarding = self.board(&name).await;
            // Whoever had it before may have left the answer.
            found = cache.recent(&name, self.now());
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
                prepared.place = boarding.map(|boarding| Place { name, boarding });
            }
        }
        let outcome = if found.is_some() { "hit" } else { "miss" };
        self.note(trace, Stage::Cache, started, Some(outcome));
        found
    }

    /// Waits for others who ask the same; `None` where that takes too long. One provider that hangs
    /// would hold them all up, one after the other.
    async fn board(&self, name: &str) -> Option<Boarding<'a>> {
        let until = self.now() + PATIENCE;
        loop {
            let boarding = self.instance.flights.board(name);
            if boarding.is_some() || self.now() >= until {
                return boarding;
            }
            self.env.clock().sleep(TURN).await;
        }
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
        let quoted = match extract.cited.is_empty() {
            true => Answer {
                text: present::refuse(index, &retrieval.hits),
                confidence: Some(confidence),
                kind: Kind::Refusal,
                ..Answer::default()
            },
            false => Answer {
                text: extract.text,
                sources: present::sources(index, &retrieval, &extract.cited),
                grounded: true,
                confidence: Some(confidence),
                kind: Kind::Extractive,
                ..Answer::default()
            },
        };
        if candidates.is_empty() || !retrieval.evidence.is_worth_reading() {
            return Plan::Say(quoted);
        }
        // The model sees what the question leans on and nothing else of the conversation: an answer
        // to a question that stands alone is kept for everybody who asks the same.
        let turns = &turns[turns.len().saturating_sub(condensed.leaned_on)..];
        match Draft::new(self, question, condensed, turns, candidates, &retrieval) {
            Ok(mut draft) => {
                draft.quoted = quoted;
                Plan::Ask(Box::new(draft))
            }
            Err(fault) => {
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
            Ok((standing, self.reserve(&mut shared.llm, &settled, prepared, started)))
        })
        .await;
        let (standing, (granted, moves)) = match outcome {
            Ok(Ok(admitted)) => admitted,
            Ok(Err(refusal)) => {
                self.instance.settle(settled);
                return Err(refused_by(refusal, trace));
            }
            Err(fault) => {
                self.settle_again(settled, &fault);
                self.without_ledger(&fault, trace);
                Default::default()
            }
        };
        count_moves(&moves, trace);
        if let Plan::Ask(draft) = &mut prepared.plan {
            draft.grant(granted, self, trace);
        }
        self.note(trace, Stage::Admit, started, None);
        Ok(standing)
    }

    /// Settles earlier permits, and asks for one where a model is to be asked. Also returns how that
    /// moves breakers.
    fn reserve(
        &self,
        bytes: &mut Vec<u8>,
        settled: &[Settled],
        prepared: &Prepared<'a>,
        now: Duration,
    ) -> (Option<Granted<'a>>, Vec<Transition>) {
        let draft = match &prepared.plan {
            Plan::Ask(draft) => Some(draft),
            Plan::Say(_) if settled.is_empty() => return Default::default(),
            Plan::Say(_) => None,
        };
        State::change(bytes, |state| {
            settled.iter().for_each(|it| state.settle(&it.permit, &it.settlement, it.at));
            draft.and_then(|draft| draft.permit(state, self, 0, now))
        })
    }

    /// Keeps what could not be told for the next question; but what may have been told is not told
    /// twice: it would give back of others what it gave back of itself. It stays reserved instead.
    pub(super) fn settle_again(
        &self,
        settled: impl IntoIterator<Item = Settled>,
        fault: &LedgerFault,
    ) {
        if !matches!(fault, LedgerFault::Unconfirmed(_)) {
            self.instance.settle(settled);
        }
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
