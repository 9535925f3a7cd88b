//! What remains of a question: its turn, its answer for others, its numbers.

use std::time::Duration;

use super::{
    Instance, Service,
    answer::Answer,
    prepare::{Place, STORE, Turn},
    speak::WRITES,
};
use crate::{
    llm::Transition,
    ports::{Clock as _, Env},
    session::Session,
    telemetry::{Served, Stage, Trace, metrics},
    wire::TurnRecord,
};

/// After this long without a flush an instance's numbers go before a cached answer: a dashboard that
/// lags a minute is of little use.
const NUMBERS_OVERDUE: Duration = Duration::from_secs(60);

impl<'a, E: Env> Service<'a, E> {
    /// Appends the turn to its conversation and keeps the answer for equal questions.
    pub(super) async fn record(
        &self,
        turn: &Turn,
        answer: &Answer,
        place: Option<Place<'a>>,
        trace: &mut Trace,
    ) {
        let started = self.now();
        if let Some(key) = turn.key.as_ref().filter(|_| answer.kind.is_remembered()) {
            trace.store(1, 1);
            let said = TurnRecord {
                question: turn.question.clone(),
                answer: answer.text.clone(),
                about: turn.about.clone(),
            };
            let limits = &self.settings.limits;
            let kept = Session::append(self.env.kv(), key, said, limits, turn.asked_at).await;
            if let Err(fault) = kept {
                self.env.warn(&format!("a turn is not remembered: {fault}"));
                trace.degrade(STORE);
            }
        }
        // An answer that had to do without something must not outlive the lack.
        if let Some(place) =
            place.filter(|_| answer.kind.is_cached() && trace.degraded().is_empty())
        {
            self.keep(place, answer, started, trace).await;
        }
        self.note(trace, Stage::Record, started, None);
    }

    async fn keep(&self, place: Place<'a>, answer: &Answer, now: Duration, trace: &mut Trace) {
        let cache = &self.instance.answers;
        let life = self.settings.cache_life;
        let record = cache.keep(&place.name, answer.record(), now, life);
        // Whoever waits for this answer finds it in the instance.
        drop(place.boarding);
        if trace.store_writes() >= WRITES || self.instance.meter.is_overdue(now, NUMBERS_OVERDUE) {
            return;
        }
        trace.store(0, 1);
        let started = self.now();
        if cache.store(self.env.kv(), &place.name, &record).await.is_err() {
            trace.count(&metrics::RESPONSE_CACHE_ERRORS, &["set"], 1.0);
        }
        let seconds = self.now().saturating_sub(started).as_secs_f64();
        trace.count(&metrics::RESPONSE_CACHE_SECONDS, &["set"], seconds);
    }
}

impl Instance {
    /// Counts a request that is over, and now and then tells the other instances.
    pub async fn close(&self, env: &impl Env, trace: &Trace, served: &Served<'_>) {
        self.meter.update(|snapshot| {
            trace.record(snapshot);
            served.record(snapshot);
        });
        let now = env.clock().now();
        if trace.store_writes() < WRITES
            && self.meter.is_due(now)
            && let Err(fault) = self.meter.flush(env.kv(), now).await
        {
            env.warn(&format!("numbers are not written yet: {fault}"));
        }
    }
}

/// Counts moves of breakers, once they are written.
pub(super) fn count_moves(moves: &[Transition], trace: &mut Trace) {
    for Transition { provider, from, to } in moves {
        trace.count(&metrics::BREAKER_TRANSITIONS, &[provider, from.label(), to.label()], 1.0);
    }
}
