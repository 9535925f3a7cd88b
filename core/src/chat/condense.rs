//! Follow-ups that no rule fills in: a model says what they are about.

use std::time::Duration;

use super::{Service, instance::Settled, record::count_moves};
use crate::{
    llm::{Call, Candidate, Collected, Completion, Effort, Message, Role, State, Waits},
    policy,
    ports::Env,
    telemetry::Trace,
    understanding::condensation::{accept, prompt},
    wire::TurnRecord,
};

/// Longest reply, in tokens: a question filled in, no more.
const MAX_TOKENS: u32 = 80;
/// The visitor waits for this before the search begins; without it the rules' guess serves.
const PATIENCE: Duration = Duration::from_secs(3);

impl<'a, E: Env> Service<'a, E> {
    /// Has the first candidate that may be asked fill in `question`; `None` where nobody can, or
    /// where the reply brings words that nobody said.
    ///
    /// One write, for the reservation; what becomes of it is told with the question's own.
    pub(super) async fn fill_in(
        &self,
        question: &str,
        turns: &[TurnRecord],
        candidates: &[Candidate<'a>],
        trace: &mut Trace,
    ) -> Option<String> {
        let now = self.now();
        let asked = prompt(question, turns);
        let messages = [
            Message { role: Role::System, text: asked.system.to_owned() },
            Message { role: Role::User, text: asked.user },
        ];
        let completion = Completion {
            messages: &messages,
            temperature: 0.0,
            max_tokens: MAX_TOKENS,
            effort: Effort::None,
            waits: Waits { head: PATIENCE, idle: PATIENCE, total: PATIENCE },
            deadline: now + PATIENCE,
        };
        let caps = self.settings.catalogue.caps();
        trace.store(1, 1);
        let granted = policy::update(self.env.kv(), |shared| {
            State::change(&mut shared.llm, |state| {
                candidates.iter().find_map(|candidate| {
                    let models = state.served(candidate, now);
                    let want = candidate.provider.reservation(&models, &completion);
                    let permit = state.permit(candidate.provider, want, caps, now).ok()?;
                    Some((candidate.provider, models, permit))
                })
            })
        })
        .await;
        let (granted, moves) = granted.ok()?;
        count_moves(&moves, trace);
        let (provider, models, permit) = granted?;
        let mut reply = Collected::default();
        let call = Call { completion: &completion, models: &models, tries: 1 };
        let outcome = provider.complete(self.env, call, &mut reply).await;
        self.account(&outcome, trace);
        let (settlement, at) = (outcome.settlement(), self.now());
        self.instance.settle([Settled { permit, settlement, at }]);
        outcome.result.ok().and_then(|_| accept(&reply.text, question, turns))
    }
}
