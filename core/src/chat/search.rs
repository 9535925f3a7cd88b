//! Passages without an answer.

use super::{Question, Service, present};
use crate::{
    RequestError,
    auth::Visitor,
    policy::{self, Claim, Standing},
    ports::Env,
    retrieval::{Mode, Query},
    telemetry::{Stage, Trace},
    wire::{SearchRequest, SearchResponse},
};

impl<E: Env> Service<'_, E> {
    /// Finds passages for `visitor`.
    ///
    /// # Errors
    /// [`RequestError::Invalid`] for a query outside of the limits; [`RequestError::RateLimited`].
    pub async fn search(
        &self,
        request: SearchRequest,
        visitor: Visitor,
        trace: &mut Trace,
    ) -> Result<(SearchResponse, Standing), RequestError> {
        let question = Question::from_search(request)?;
        let started = self.now();
        let claim = Claim { session: None, address: visitor.address };
        let limits = &self.settings.limits;
        trace.store(1, 1);
        let claimed =
            policy::update(self.env.kv(), |it| it.ledger.claim(claim, limits, started)).await;
        let standing = match claimed {
            Ok(claimed) => claimed.map_err(|refusal| super::prepare::refused_by(refusal, trace))?,
            Err(fault) => {
                self.without_ledger(&fault, trace);
                Standing::default()
            }
        };
        self.note(trace, Stage::Admit, started, None);
        let query = Query {
            text: &question.text,
            top_k: question.top_k,
            filters: &question.filters,
            mode: Mode::Hybrid,
        };
        let retrieval = self.retrieve(&query, trace).await;
        let hits = retrieval.hits.iter().zip(1..);
        let response = SearchResponse {
            hits: hits.map(|(hit, rank)| present::search_hit(self.index(), hit, rank)).collect(),
            query: question.text,
            degraded: trace.degraded().iter().map(|part| (*part).to_owned()).collect(),
        };
        Ok((response, standing))
    }
}
