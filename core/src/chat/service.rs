//! The chat service: one question's way through the house, for every route.

use std::time::Duration;

use super::{Instance, Question, Settings, Silent};
use crate::{
    RequestError,
    auth::Visitor,
    index::Index,
    policy::Standing,
    ports::{Clock as _, Env},
    retrieval::Retriever,
    telemetry::{Stage, Trace},
    wire::{ChatResponse, TurnRecord},
};

/// Everything that answering needs, for one request.
#[derive(Debug)]
pub struct Service<'a, E> {
    /// The ports.
    pub env: &'a E,
    /// What the operator decided.
    pub settings: &'a Settings,
    /// What the instance keeps.
    pub instance: &'a Instance,
    /// The index that serves, with its encoder.
    pub retriever: Retriever<'a>,
}

/// A question, who asks it, and what it continues.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The question.
    pub question: Question,
    /// Who asks.
    pub visitor: Visitor,
    /// What it continues.
    pub conversation: Conversation,
}

/// Where the turns before a question are.
#[derive(Clone, Debug)]
pub enum Conversation {
    /// In the store, under the question's session id or a new one.
    Kept,
    /// In the request, as OpenAI's clients send them; nothing is kept.
    Sent(Vec<TurnRecord>),
    /// Nowhere: the question stands alone.
    None,
}

impl<'a, E: Env> Service<'a, E> {
    /// Answers in one piece.
    ///
    /// # Errors
    /// As for [`prepare`](Self::prepare).
    pub async fn answer(
        &self,
        asked: Asked,
        trace: &mut Trace,
    ) -> Result<(ChatResponse, Standing), RequestError> {
        let prepared = self.prepare(asked, trace).await?;
        let standing = prepared.standing.clone();
        let spoken = self.speak(prepared, trace, &mut Silent).await;
        Ok((spoken.response, standing))
    }

    pub(super) fn index(&self) -> &'a Index {
        self.retriever.index()
    }

    pub(super) fn now(&self) -> Duration {
        self.env.clock().now()
    }

    /// Notes that `stage` took from `started` until now, and with what outcome.
    pub(super) fn note(
        &self,
        trace: &mut Trace,
        stage: Stage,
        started: Duration,
        outcome: Option<&'static str>,
    ) {
        let step = trace.stage(stage, started, self.now());
        if let Some(outcome) = outcome {
            step.outcome(outcome);
        }
    }
}
