//! What the shared state tells whoever watches: gauges, and how breakers have moved.

use std::time::Duration;

use super::{
    breaker::Position,
    catalogue::Catalogue,
    quota::Quota,
    state::{Gauge, State},
};
use crate::telemetry::metrics::{self, BREAKER_STATE, LLM_QUOTA_RATIO, Metric};

/// In place of a provider, for what is limited over all of them.
const ALL: &str = "all";

/// A breaker's move.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Transition {
    /// Whose breaker it is.
    pub provider: String,
    /// Where it stood.
    pub from: Position,
    /// Where it stands.
    pub to: Position,
}

impl State {
    /// Changes a state as it is stored. Also returns how breakers moved.
    ///
    /// What cannot be read counts as nothing known, as in the ledger: windows begin anew.
    pub fn change<T>(
        bytes: &mut Vec<u8>,
        change: impl FnOnce(&mut Self) -> T,
    ) -> (T, Vec<Transition>) {
        let before = Self::decode(bytes).unwrap_or_default();
        let mut state = before.clone();
        let outcome = change(&mut state);
        if let Ok(encoded) = state.encode() {
            *bytes = encoded;
        }
        (outcome, state.transitions(&before))
    }

    /// Returns the breakers that stand elsewhere than in `before`.
    fn transitions(&self, before: &Self) -> Vec<Transition> {
        let position = |name: &str| {
            let mut known = before.breakers();
            let known = known.find(|(provider, _)| *provider == name);
            known.map_or(Position::Closed, |(_, breaker)| breaker.last_position())
        };
        let moves = self.breakers().map(|(provider, breaker)| Transition {
            provider: provider.to_owned(),
            from: position(provider),
            to: breaker.last_position(),
        });
        moves.filter(|it| it.from != it.to).collect()
    }

    /// Returns the gauges of the configured providers: breakers, and the used shares of limits.
    pub fn readings(&self, catalogue: &Catalogue, now: Duration) -> Vec<metrics::Gauge> {
        let mut readings = Vec::new();
        let mut read = |metric: &'static Metric, labels: &[&str], value| {
            let labels = labels.iter().map(|label| (*label).to_owned()).collect();
            readings.push(metrics::Gauge { metric, labels, value });
        };
        for (at, provider) in catalogue.providers().iter().enumerate() {
            let level = match self.position(provider.name(), now) {
                Position::Closed => 0.0,
                Position::HalfOpen => 0.5,
                Position::Open => 1.0,
            };
            read(&BREAKER_STATE, &[provider.name()], level);
            for gauge in self.gauges(provider, catalogue.caps(), now) {
                let is_common = matches!(gauge.quota, Quota::DailyTokens | Quota::DailyCost);
                let whose = if is_common { ALL } else { provider.name() };
                if let Some(share) = share(&gauge).filter(|_| at == 0 || !is_common) {
                    read(&LLM_QUOTA_RATIO, &[whose, gauge.quota.label()], share);
                }
            }
        }
        readings
    }
}

/// The used share of a limit; `None` without one. Nothing is left of a limit of zero.
fn share(gauge: &Gauge) -> Option<f64> {
    match gauge.limit? {
        0 => Some(1.0),
        limit => Some(gauge.used as f64 / limit as f64),
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::{
        fakes::MapConfig,
        llm::{Settlement, breaker::Verdict, quota::Reservation},
        telemetry::metrics::render,
    };

    const NOW: Duration = Duration::from_secs(1_700_000_000);
    const WANT: Reservation = Reservation { tokens: 10, micro_usd: 0 };

    fn catalogue() -> Catalogue {
        let variables = [
            ("groq_api_key", "g"),
            ("groq_requests_per_minute", "20"),
            ("groq_requests_per_day", "0"),
            ("groq_tokens_per_minute", "100"),
            ("groq_tokens_per_day", "none"),
            ("deepinfra_api_key", "d"),
            ("deepinfra_requests_per_minute", "none"),
            ("deepinfra_requests_per_day", "none"),
            ("llm_daily_tokens", "1000"),
        ];
        let own = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        block_on(Catalogue::configured(&MapConfig(own.into()))).unwrap()
    }

    fn fail(state: &mut State, catalogue: &Catalogue, times: usize, at: Duration) {
        for _ in 0..times {
            // DeepInfra has no limits here.
            let provider = &catalogue.providers()[1];
            let permit = state.permit(provider, WANT, catalogue.caps(), at).unwrap();
            let failed = Settlement { verdict: Verdict::Failure, ..Settlement::unused() };
            state.settle(&permit, &failed, at);
        }
    }

    #[test]
    fn moves_are_told_once() {
        let catalogue = catalogue();
        let mut state = State::default();
        let mut check = |times, at: Duration, expected: Option<(Position, Position)>| {
            let before = state.clone();
            fail(&mut state, &catalogue, times, at);
            let moves = state.transitions(&before);
            let expected = expected.map(|(from, to)| {
                let provider = "deepinfra".to_owned();
                Transition { provider, from, to }
            });
            assert_eq!(moves, Vec::from_iter(expected), "{times} {at:?}");
        };
        check(4, NOW, None);
        check(1, NOW, Some((Position::Closed, Position::Open)));
        let later = NOW + Duration::from_secs(31);
        let before = state.clone();
        let provider = &catalogue.providers()[1];
        state.permit(provider, WANT, catalogue.caps(), later).unwrap();
        let [probing] = &state.transitions(&before)[..] else { panic!("one move") };
        assert_eq!((probing.from, probing.to), (Position::Open, Position::HalfOpen));
        assert_eq!([probing.from, probing.to].map(Position::label), ["open", "half_open"]);
    }

    #[test]
    fn gauges_tell_breakers_and_shares() {
        let catalogue = catalogue();
        let mut state = State::default();
        fail(&mut state, &catalogue, 5, NOW);
        let page = render(None, &state.readings(&catalogue, NOW));
        let samples: Vec<&str> = page.lines().filter(|line| !line.starts_with('#')).collect();
        let expected = [
            r#"rag_llm_quota_used_ratio{provider="groq",quota="requests_per_minute"} 0"#,
            r#"rag_llm_quota_used_ratio{provider="groq",quota="tokens_per_minute"} 0"#,
            r#"rag_llm_quota_used_ratio{provider="groq",quota="requests_per_day"} 1"#,
            r#"rag_llm_quota_used_ratio{provider="all",quota="daily_tokens"} 0"#,
            r#"rag_llm_quota_used_ratio{provider="all",quota="daily_cost"} 0"#,
            r#"rag_circuit_breaker_state{name="groq"} 0"#,
            r#"rag_circuit_breaker_state{name="deepinfra"} 1"#,
        ];
        assert_eq!(samples, expected);
        let provider = &catalogue.providers()[1];
        let later = NOW + Duration::from_secs(31);
        let caps = catalogue.caps();
        state.permit(provider, Reservation { tokens: 250, micro_usd: 0 }, caps, later).unwrap();
        let page = render(None, &state.readings(&catalogue, later));
        assert!(page.contains(r#"{provider="all",quota="daily_tokens"} 0.25"#), "{page}");
        assert!(page.contains(r#"state{name="deepinfra"} 0.5"#), "{page}");
    }
}
