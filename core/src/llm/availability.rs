//! Whether a model would answer now: by what all instances know of the providers, and by asking each
//! for the list of its models, which costs no tokens.
//!
//! Whoever asks, providers are asked at most once in half a minute: the findings stand in the store,
//! and one request at a time looks for new ones while the others wait for it.

use std::time::Duration;

use futures_util::future::join_all;

use super::{
    breaker::milliseconds,
    catalogue::{Candidate, Catalogue, EXTRACTIVE},
    fault::{Fault, Refusal, refusal},
    headers::retry_after,
    provider::Provider,
    quota::Reservation,
    state::{Denied, State},
};
use crate::{
    policy,
    ports::{Clock as _, Env, Http, HttpRequest, Kv, KvError, Timeouts},
    wire::{AvailabilityRecord, FindingRecord, LlmHealth},
};

const KEY: &str = "llm:availability";
const VERSION: u8 = 1;
/// How long a finding counts: supervisors ask every ten to thirty seconds, and an outage that is
/// noticed half a minute late is noticed by visitors first anyway.
const LIFE: Duration = Duration::from_secs(30);
/// How long a provider may take: a list comes within a tenth of it, and supervisors wait five.
const PATIENCE: Duration = Duration::from_secs(3);
/// When whoever looks is given up, and the next one may.
const LEASE: Duration = Duration::from_secs(4);
/// How often those who wait look again, and how many times: longer than a lease.
const PAUSE: Duration = Duration::from_millis(250);
const PAUSES: usize = 18;
/// An answer within this time is a quick one: a question's first words will come in not much more.
const QUICK: Duration = Duration::from_secs(1);
/// In place of names of providers and models that cannot be told.
pub const MISCONFIGURED: &str = "misconfigured";

/// Whether a model would answer now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Availability {
    /// The provider that is asked first.
    pub provider: String,
    /// The model that it is asked for.
    pub model: String,
    /// How it is.
    pub condition: Condition,
    /// What is wrong with it. Nothing in it tells of the network behind the service.
    pub error: Option<String>,
    /// The first other provider that is well.
    pub fallback: Option<String>,
    /// How long it took to answer when it was last asked; zero where it was not.
    pub took: Duration,
}

/// How a provider is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Condition {
    /// It answers.
    Available,
    /// A limit is used up, ours or its own, or it has no capacity.
    Busy,
    /// Something is wrong.
    Error,
    /// There is none; documents are quoted.
    NotConfigured,
    /// Which there are cannot be told, and no question is answered.
    Misconfigured,
}

impl Condition {
    /// Its name in replies.
    pub fn label(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Busy => "busy",
            Self::Error | Self::Misconfigured => "error",
            Self::NotConfigured => "not_configured",
        }
    }
}

impl Availability {
    /// What is known where the configuration has to be mended; the log tells how.
    pub fn misconfigured() -> Self {
        let error =
            "the service is not configured correctly; its operator finds the reason in the log";
        Self::alone(MISCONFIGURED, Condition::Misconfigured, Some(error.to_owned()))
    }

    fn alone(name: &str, condition: Condition, error: Option<String>) -> Self {
        Self {
            provider: name.to_owned(),
            model: name.to_owned(),
            condition,
            error,
            fallback: None,
            took: Duration::ZERO,
        }
    }

    /// Its word in a list of parts.
    pub fn grade(&self) -> &'static str {
        match self.condition {
            Condition::NotConfigured => "not_configured",
            Condition::Misconfigured => "unhealthy",
            _ if self.is_well() => "healthy",
            _ => "degraded",
        }
    }

    /// Whether questions are answered as configured: by whichever model, or by none where none is
    /// configured.
    pub fn is_well(&self) -> bool {
        let own = matches!(self.condition, Condition::Available | Condition::NotConfigured);
        own || self.fallback.is_some()
    }
}

impl From<Availability> for LlmHealth {
    fn from(known: Availability) -> Self {
        let is_available = known.condition == Condition::Available;
        Self {
            status: known.condition.label(),
            fallback_available: known.fallback.is_some(),
            fallback_provider: known.fallback,
            response_time_ms: milliseconds(known.took),
            is_hot: is_available.then_some(known.took < QUICK),
            error: known.error,
            provider: known.provider,
            model: known.model,
        }
    }
}

/// Finds out: a read of the store, one more for the findings, and two writes in half a minute.
pub async fn availability(env: &impl Env, catalogue: &Catalogue) -> Availability {
    // No name is wanted, so none is unknown.
    let candidates = catalogue.choose(None).unwrap_or_default();
    let Some(first) = candidates.first() else {
        return Availability::alone(EXTRACTIVE, Condition::NotConfigured, None);
    };
    let now = env.clock().now();
    let (state, findings) = match look(env, catalogue, &candidates, now).await {
        Ok(looked) => looked,
        Err(fault) => {
            env.warn(&format!("providers are not looked at: {fault}"));
            let error = "the store does not answer, and without it no model is asked";
            let unknown = |_| Finding::wrong(Condition::Error, error);
            (State::default(), candidates.iter().map(unknown).collect())
        }
    };
    let of_first = findings.first().cloned().unwrap_or_default();
    let mut others = candidates.iter().zip(&findings).skip(1);
    let fallback = others.find(|(_, finding)| finding.condition == Condition::Available);
    Availability {
        provider: first.provider.name().to_owned(),
        model: state.served(first, now).first().copied().unwrap_or_default().to_owned(),
        condition: of_first.condition,
        error: of_first.error,
        fallback: fallback.map(|(candidate, _)| candidate.provider.name().to_owned()),
        took: of_first.took,
    }
}

/// What is known of one provider.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Finding {
    condition: Condition,
    error: Option<String>,
    took: Duration,
}

impl Default for Finding {
    fn default() -> Self {
        Self::wrong(Condition::Error, "nobody came back from looking in time")
    }
}

impl Finding {
    fn wrong(condition: Condition, error: impl ToString) -> Self {
        Self { condition, error: Some(error.to_string()), took: Duration::ZERO }
    }

    fn denied(denied: &Denied) -> Self {
        let condition = match denied {
            Denied::Open { .. } => Condition::Error,
            Denied::LeftAlone { .. } | Denied::Quota { .. } | Denied::TooLarge { .. } => {
                Condition::Busy
            }
        };
        Self::wrong(condition, denied)
    }

    fn read(record: &FindingRecord) -> Self {
        let condition = match (&record.error, record.busy) {
            (None, _) => Condition::Available,
            (Some(_), true) => Condition::Busy,
            (Some(_), false) => Condition::Error,
        };
        Self { condition, error: record.error.clone(), took: Duration::from_millis(record.took_ms) }
    }
}

/// What is known of each candidate: why it would not be asked, else what it last said.
async fn look(
    env: &impl Env,
    catalogue: &Catalogue,
    candidates: &[Candidate<'_>],
    now: Duration,
) -> Result<(State, Vec<Finding>), policy::LedgerFault> {
    let state = State::decode(&policy::read(env.kv()).await?.llm).unwrap_or_default();
    let denials: Vec<Option<Denied>> =
        candidates.iter().map(|it| denial(&state, it.provider, catalogue, now)).collect();
    let free = candidates.iter().zip(&denials).filter(|(_, denial)| denial.is_none());
    let free: Vec<&Provider> = free.map(|(candidate, _)| candidate.provider).collect();
    let records = if free.is_empty() { Vec::new() } else { findings(env, &free).await? };
    let finding = |(candidate, denial): (&Candidate<'_>, &Option<Denied>)| match denial {
        Some(denied) => Finding::denied(denied),
        None => find(&records, candidate.provider).map(Finding::read).unwrap_or_default(),
    };
    let found = candidates.iter().zip(&denials).map(finding).collect();
    Ok((state, found))
}

/// Why the smallest question would not be put to a provider. Asks for leave on a copy.
fn denial(
    state: &State,
    provider: &Provider,
    catalogue: &Catalogue,
    now: Duration,
) -> Option<Denied> {
    let costs = provider.models().iter().map(|model| model.price.cost(1, 1));
    let smallest = Reservation { tokens: 2, micro_usd: costs.max().unwrap_or(0) };
    state.clone().permit(provider, smallest, catalogue.caps(), now).err()
}

fn find<'a>(records: &'a [FindingRecord], provider: &Provider) -> Option<&'a FindingRecord> {
    records.iter().find(|record| record.provider == provider.name())
}

/// What the store holds of `providers`, or new findings; nothing where whoever looks does not come
/// back.
async fn findings(env: &impl Env, providers: &[&Provider]) -> Result<Vec<FindingRecord>, KvError> {
    for _ in 0..PAUSES {
        let now = milliseconds(env.clock().now());
        let bytes = env.kv().get(KEY).await?;
        let known = bytes.as_deref().and_then(decode).unwrap_or_default();
        let is_young = now.abs_diff(known.at_ms) < milliseconds(LIFE);
        let is_whole = providers.iter().all(|it| find(&known.findings, it).is_some());
        if is_young && is_whole {
            return Ok(known.findings);
        }
        // A lease that ends later than any can is of a clock that was wrong.
        let left = known.lease_ms.saturating_sub(now);
        if (1..=milliseconds(LEASE)).contains(&left) {
            env.clock().sleep(PAUSE).await;
            continue;
        }
        let lease_ms = now + milliseconds(LEASE);
        let claimed = encode(&AvailabilityRecord { version: VERSION, lease_ms, ..known })?;
        if env.kv().swap(KEY, bytes.as_deref(), &claimed).await? {
            let findings = join_all(providers.iter().map(|provider| probe(env, provider))).await;
            let at_ms = milliseconds(env.clock().now());
            let record = AvailabilityRecord { version: VERSION, at_ms, lease_ms: 0, findings };
            env.kv().set(KEY, &encode(&record)?).await?;
            return Ok(record.findings);
        }
    }
    Ok(Vec::new())
}

/// Asks a provider for its models.
async fn probe(env: &impl Env, provider: &Provider) -> FindingRecord {
    let started = env.clock().now();
    let outcome = list(env.http(), provider).await;
    let took_ms = milliseconds(env.clock().now().saturating_sub(started));
    let fault = outcome.err();
    if let Some(fault) = &fault {
        env.warn(&format!("{} is not well: {fault}", provider.name()));
    }
    FindingRecord {
        provider: provider.name().to_owned(),
        took_ms,
        busy: matches!(
            fault,
            Some(Fault::RateLimited { .. } | Fault::Unavailable { status: 498 | 503 | 529 })
        ),
        error: fault.map(|fault| match fault {
            // What the platform says of its network is for the log.
            Fault::Unreachable(_) => "the provider cannot be reached".to_owned(),
            Fault::Denied { .. } => "the provider may not be reached: set llm_host".to_owned(),
            fault => fault.to_string(),
        }),
    }
}

async fn list(http: &impl Http, provider: &Provider) -> Result<(), Fault> {
    let request = HttpRequest {
        method: http::Method::GET,
        uri: provider.list.clone(),
        headers: provider.headers().clone(),
        body: Vec::new(),
        timeouts: Timeouts::whole(PATIENCE),
    };
    let reply = http.send(request).await?;
    let status = reply.status.as_u16();
    if reply.status.is_success() {
        return Ok(());
    }
    Err(match refusal(status, retry_after(&reply.headers), b"") {
        Refusal::Other(fault) => fault,
        Refusal::Withdrawn => Fault::Rejected { status, code: "no_list_of_models".to_owned() },
    })
}

fn decode(bytes: &[u8]) -> Option<AvailabilityRecord> {
    let record: AvailabilityRecord = postcard::from_bytes(bytes).ok()?;
    (record.version == VERSION).then_some(record)
}

fn encode(record: &AvailabilityRecord) -> Result<Vec<u8>, KvError> {
    let encoded = postcard::to_stdvec(record);
    encoded.map_err(|error| KvError::Unavailable { reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::{
        fakes::{
            ManualClock, MapConfig, MemoryEnv, MemoryKv, Reply, ScriptedBody, ScriptedHttp,
            SeededEntropy,
        },
        llm::{Settlement, breaker::Verdict},
        ports::{HttpError, HttpResponse, Phase},
    };

    const GROQ: (&str, &str) = ("groq_api_key", "g");
    const BOTH: &[(&str, &str)] = &[GROQ, ("deepinfra_api_key", "d")];

    fn env(
        variables: &[(&str, &str)],
        replies: impl IntoIterator<Item = Result<Reply, HttpError>>,
    ) -> MemoryEnv {
        let mut env = MemoryEnv { http: ScriptedHttp::new(replies), ..MemoryEnv::default() };
        for (name, value) in variables {
            env.config.0.insert((*name).to_owned(), (*value).to_owned());
        }
        env.clock.advance(Duration::from_secs(1_700_000_000));
        env
    }

    fn look_at(env: &MemoryEnv) -> Availability {
        block_on(async {
            let catalogue = Catalogue::configured(&env.config).await.unwrap();
            availability(env, &catalogue).await
        })
    }

    fn reply(status: u16) -> Result<Reply, HttpError> {
        let status = http::StatusCode::from_u16(status).unwrap();
        Ok(Reply { status, headers: http::HeaderMap::new(), chunks: Vec::new() })
    }

    /// A client whose replies take half a second, in which others run.
    struct SlowHttp<'a>(&'a ScriptedHttp, &'a ManualClock);

    impl Http for SlowHttp<'_> {
        type Body = ScriptedBody;

        async fn send(
            &self,
            request: HttpRequest,
        ) -> Result<HttpResponse<ScriptedBody>, HttpError> {
            self.1.sleep(PAUSE).await;
            self.1.sleep(PAUSE).await;
            self.0.send(request).await
        }
    }

    struct SlowEnv<'a>(&'a MemoryEnv, SlowHttp<'a>);

    impl<'a> Env for SlowEnv<'a> {
        type Kv = MemoryKv;
        type Http = SlowHttp<'a>;
        type Clock = ManualClock;
        type Entropy = SeededEntropy;
        type Config = MapConfig;

        fn kv(&self) -> &MemoryKv {
            &self.0.kv
        }
        fn http(&self) -> &SlowHttp<'a> {
            &self.1
        }
        fn clock(&self) -> &ManualClock {
            &self.0.clock
        }
        fn entropy(&self) -> &SeededEntropy {
            &self.0.entropy
        }
        fn config(&self) -> &MapConfig {
            &self.0.config
        }
    }

    #[test]
    fn a_provider_is_asked_for_its_models_with_its_key() {
        let env = env(&[GROQ], [reply(200)]);
        let found = look_at(&env);
        assert_eq!((found.provider.as_str(), found.model.as_str()), ("groq", "openai/gpt-oss-20b"));
        assert_eq!((found.condition, &found.error), (Condition::Available, &None));
        assert!(found.is_well() && found.fallback.is_none());
        let [sent] = &env.http.requests()[..] else { panic!("one request") };
        assert_eq!((&sent.method, sent.body.len()), (&http::Method::GET, 0));
        assert_eq!(sent.uri, "https://api.groq.com/openai/v1/models");
        assert_eq!(sent.headers["authorization"], "Bearer g");
        assert_eq!(sent.timeouts, Timeouts::whole(PATIENCE));
    }

    #[test]
    fn without_a_provider_nobody_is_asked() {
        for off in [&[][..], &[GROQ, ("llm_providers", "extractive")]] {
            let env = env(off, []);
            let health = LlmHealth::from(look_at(&env));
            assert_eq!((health.status, health.provider.as_str()), ("not_configured", "extractive"));
            assert_eq!((look_at(&env).grade(), env.http.requests().len()), ("not_configured", 0));
        }
    }

    #[test]
    fn what_a_provider_says_is_told_in_words_of_ours() {
        let check = |heard: Result<Reply, HttpError>, status: &str, error: &str| {
            let health = LlmHealth::from(look_at(&env(&[GROQ], [heard])));
            assert_eq!((health.status, health.error.as_deref()), (status, Some(error)));
            assert_eq!(health.is_hot, None);
        };
        let limit = PATIENCE;
        check(reply(401), "error", "status 401: the provider refuses the key; see its console");
        check(reply(429), "busy", "status 429: asked too often");
        check(reply(503), "busy", "status 503: the provider cannot answer");
        check(reply(500), "error", "status 500: the provider cannot answer");
        let refused = "status 404, code no_list_of_models: the provider refuses the request";
        check(reply(404), "error", refused);
        let late = HttpError::TimedOut { phase: Phase::Total, limit };
        check(Err(late), "error", "no whole reply within 3000 ms");
        let denied = HttpError::Denied { authority: "inner.example".to_owned() };
        check(Err(denied), "error", "the provider may not be reached: set llm_host");
        let failed = HttpError::Failed { reason: "inner.example has no address".to_owned() };
        check(Err(failed), "error", "the provider cannot be reached");
    }

    #[test]
    fn another_provider_stands_in_only_while_it_is_well() {
        let check = |replies: [u16; 2], fallback: Option<&str>, is_well: bool| {
            let found = look_at(&env(BOTH, replies.map(reply)));
            assert_eq!((found.fallback.as_deref(), found.is_well()), (fallback, is_well));
            assert_eq!(found.grade(), if is_well { "healthy" } else { "degraded" });
        };
        check([200, 200], Some("deepinfra"), true);
        check([500, 200], Some("deepinfra"), true);
        check([200, 401], None, true);
        check([500, 429], None, false);
    }

    #[test]
    fn however_many_ask_a_provider_is_asked_once_in_half_a_minute() {
        let env = env(&[GROQ], [reply(200), reply(500)]);
        let slow = SlowEnv(&env, SlowHttp(&env.http, &env.clock));
        let all = block_on(async {
            let catalogue = Catalogue::configured(&env.config).await.unwrap();
            join_all((0..4).map(|_| availability(&slow, &catalogue))).await
        });
        let took = all[0].took;
        assert!(took >= 2 * PAUSE, "{all:?}");
        assert!(all.iter().all(|it| it.is_well() && it.took == took), "{all:?}");
        assert_eq!(env.http.requests().len(), 1);
        env.clock.advance(LIFE - took);
        assert!(look_at(&env).is_well());
        assert_eq!(env.http.requests().len(), 1);
        env.clock.advance(took);
        assert_eq!((look_at(&env).condition, env.http.requests().len()), (Condition::Error, 2));
    }

    #[test]
    fn whoever_does_not_come_back_is_waited_for_no_longer_than_its_lease() {
        let env = env(&[GROQ], [reply(200)]);
        let now = milliseconds(env.clock.now());
        let leased = |lease_ms| {
            let record = AvailabilityRecord { version: VERSION, lease_ms, ..Default::default() };
            encode(&record).unwrap()
        };
        block_on(env.kv.set(KEY, &leased(now + milliseconds(LEASE)))).unwrap();
        assert!(look_at(&env).is_well());
        assert_eq!(env.clock.now(), Duration::from_millis(now) + LEASE);
        // A lease from the future binds nobody, and neither does what cannot be read.
        for strange in [leased(u64::MAX), vec![9; 40]] {
            let env = self::env(&[GROQ], [reply(200)]);
            block_on(env.kv.set(KEY, &strange)).unwrap();
            assert!(look_at(&env).is_well());
            assert_eq!(env.clock.now(), Duration::from_millis(now));
        }
    }

    #[test]
    fn what_all_instances_know_spares_the_question() {
        let check = |condition: Condition, error: &str, change: &dyn Fn(&mut State, &Provider)| {
            let env = env(&[GROQ, ("groq_requests_per_minute", "10")], []);
            block_on(async {
                let catalogue = Catalogue::configured(&env.config).await.unwrap();
                let update = |shared: &mut policy::SharedLedger| {
                    let mut state = State::default();
                    change(&mut state, &catalogue.providers()[0]);
                    shared.llm = state.encode().unwrap();
                };
                policy::update(&env.kv, update).await.unwrap();
                let found = availability(&env, &catalogue).await;
                assert_eq!((found.condition, found.error.as_deref()), (condition, Some(error)));
                assert!(!found.is_well() && found.took.is_zero());
            });
            assert!(env.http.requests().is_empty());
        };
        let now = Duration::from_secs(1_700_000_000);
        let want = Reservation { tokens: 10, micro_usd: 0 };
        let caps = crate::llm::Caps::default();
        check(Condition::Error, "the breaker is open for 30 s", &|state, provider| {
            for _ in 0..5 {
                let permit = state.permit(provider, want, &caps, now).unwrap();
                let failed = Settlement { verdict: Verdict::Failure, ..Settlement::unused() };
                state.settle(&permit, &failed, now);
            }
        });
        check(Condition::Busy, "the provider asks to be left alone for 7 s", &|state, provider| {
            let permit = state.permit(provider, want, &caps, now).unwrap();
            let leave_for = Some(Duration::from_secs(7));
            state.settle(&permit, &Settlement { leave_for, ..Settlement::unused() }, now);
        });
        check(Condition::Busy, "no room in requests_per_minute for 70 s", &|state, provider| {
            for _ in 0..5 {
                state.permit(provider, want, &caps, now).unwrap();
            }
        });
    }

    #[test]
    fn without_the_store_no_model_would_be_asked() {
        let env = env(BOTH, []);
        env.kv.set_down(true);
        let found = look_at(&env);
        assert!(!found.is_well() && env.http.requests().is_empty(), "{found:?}");
        assert!(found.error.unwrap().starts_with("the store does not answer"));
    }
}
