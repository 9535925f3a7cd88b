//! A schedule: instances over one store, visitors who ask them, and all that a seed decides of it.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    time::Duration,
};

use dossier_core::{
    RequestError,
    auth::Visitor,
    chat::{Asked, Conversation, Instance, Question, Service, Settings, Silent},
    fakes::{MapConfig, SeededEntropy},
    llm::{Quota, State},
    policy,
    ports::{Clock as _, Env, Kv as _},
    session::{Session, SessionKey},
    telemetry::{Served, Trace},
    wire::{ChatRequest, TurnRecord},
};
use futures::{
    executor::block_on,
    future::{Either, join, select},
    pin_mut,
};

use crate::{
    audit::{Admission, Audit, DELAY, check_bills, day},
    chance::Chance,
    executor::{Task, VirtualClock, run, turns},
    heard::{Heard, check_answer},
    house::House,
    mark::{check_own, mark, marks},
    provider::{self, Provider},
    store::FaultyKv,
    variables::variables,
};

/// Longest time from a question to its last event. Platforms end a request at 30 s.
const LONGEST: Duration = Duration::from_secs(30);
/// Writes of the store that a question may take.
const WRITES: usize = 3;

/// What can be asked of the documents; the last of it in vain.
const QUESTIONS: [&str; 4] = [
    "Who gave the Davy Medal?",
    "When did she receive the Matteucci Medal?",
    "Where was she born?",
    "What is the capital of Australia?",
];
/// What is no question.
const COURTESIES: [&str; 2] = ["hello", "thank you"];
/// What leans on the question before it.
const FOLLOW_UPS: [&str; 3] = ["When was that?", "And the Matteucci Medal?", "Why?"];

/// How often something happened, so that a simulation in which nothing does is noticed.
pub(crate) type Tally = BTreeMap<&'static str, u64>;

/// A schedule.
pub(crate) struct Schedule<'h> {
    house: &'h House,
    chance: Chance,
    clock: VirtualClock,
    kv: FaultyKv,
    provider: Provider,
    config: MapConfig,
    settings: Settings,
    instances: Vec<Instance>,
    store_faults: u64,
    provider_faults: u64,
    began: Duration,
    /// Longest time between two questions of a visitor, in milliseconds.
    pace: u64,
    /// Requests of 1 000 that ask one instance the same, so that they meet on the way to an answer.
    rush: u64,
    audit: Audit,
    tally: RefCell<Tally>,
}

/// Somebody who asks.
struct Person {
    mark: String,
    visitor: Visitor,
    /// The conversation that he goes on with.
    session: RefCell<Option<String>>,
    /// Questions of his conversations that were answered and must be remembered.
    remembered: RefCell<BTreeMap<String, u32>>,
    /// Whether one of his requests was dropped, so that nobody knows what became of it.
    was_dropped: Cell<bool>,
}

/// The ports of one question.
struct Ports<'s> {
    kv: FaultyKv,
    provider: Provider,
    schedule: &'s Schedule<'s>,
}

impl Env for Ports<'_> {
    type Kv = FaultyKv;
    type Http = Provider;
    type Clock = VirtualClock;
    type Entropy = SeededEntropy;
    type Config = MapConfig;

    fn kv(&self) -> &FaultyKv {
        &self.kv
    }
    fn http(&self) -> &Provider {
        &self.provider
    }
    fn clock(&self) -> &VirtualClock {
        &self.schedule.clock
    }
    fn entropy(&self) -> &SeededEntropy {
        self.schedule.chance.entropy()
    }
    fn config(&self) -> &MapConfig {
        &self.schedule.config
    }
    fn warn(&self, line: &str) {
        assert!(marks(line).is_empty(), "the operator is told a visitor's words: {line}");
    }
}

impl<'h> Schedule<'h> {
    /// What `seed` decides.
    pub(crate) fn of(seed: u64, house: &'h House) -> Self {
        let chance = Chance::of(seed);
        let config = variables(&chance);
        let settings = block_on(Settings::configured(&config)).unwrap();
        // Days end in some schedules.
        let midnight = Duration::from_secs(20_000 * 86_400);
        let before = chance.one(&[60, 600, 40_000]);
        let clock = VirtualClock::at(midnight - Duration::from_secs(before));
        let store_faults = chance.one(&[0, 0, 0, 0, 20, 20, 20, 200, 200, 1_000]);
        let provider_faults = chance.one(&[0, 0, 100, 300, 600]);
        let instances = 2 + chance.below(3);
        Self {
            house,
            kv: FaultyKv::new(chance.clone(), store_faults),
            provider: Provider::new(clock.clone(), chance.clone(), provider_faults),
            config,
            settings,
            instances: (0..instances).map(|_| Instance::new(chance.entropy())).collect(),
            store_faults,
            provider_faults,
            began: clock.now(),
            pace: chance.one(&[1, 2_000, 60_000, 1_200_000]),
            rush: chance.one(&[0, 0, 300, 900]),
            audit: Audit::default(),
            tally: RefCell::default(),
            clock,
            chance,
        }
    }

    /// Runs it to its end and looks at what remains.
    ///
    /// # Panics
    /// One of the promises is broken.
    pub(crate) fn run(&self) -> Tally {
        let people: Vec<Person> = (0..3 + self.chance.below(6)).map(|it| self.person(it)).collect();
        let tasks = people.iter().map(|it| Box::pin(self.visit(it)) as Task<'_>).collect();
        run(&self.clock, &self.chance, tasks);

        let dropped = self.tally.borrow().get("dropped").copied().unwrap_or_default() as usize;
        self.audit.check_limits(&self.settings.limits, self.store_faults == 0, dropped);
        let asked = self.provider.asked();
        let catalogue = &self.settings.catalogue;
        let providers: Vec<_> = catalogue.providers().iter().collect();
        check_bills(&asked, &providers, catalogue.caps());
        assert!(self.store_faults < 1_000 || asked.is_empty(), "asked without a ledger");
        self.check_store(&people);
        let is_exact = self.store_faults == 0 && self.provider_faults == 0 && dropped == 0;
        block_on(self.check_reservations(&asked, is_exact));
        self.count("completions", asked.len() as u64);
        self.count("milliseconds", (self.clock.now() - self.began).as_millis() as u64);
        self.tally.take()
    }

    /// Conversations hold their visitor's words alone, each question once, and nothing else holds
    /// anybody's but answers, which hold those of whoever asks the same.
    fn check_store(&self, people: &[Person]) {
        let kv = self.kv.inner();
        block_on(async {
            for key in kv.list("").await.unwrap() {
                let bytes = kv.get(&key).await.unwrap().unwrap();
                let most = usize::from(key.starts_with("session:") || key.starts_with("answer:"));
                let found = marks(&String::from_utf8_lossy(&bytes));
                assert!(found.len() <= most, "{key} holds {found:?}");
            }
            for person in people {
                for (id, questions) in &person.remembered.take() {
                    let key = SessionKey::new(id, person.visitor);
                    let now = self.clock.now();
                    let session = Session::load(kv, &key, now).await.unwrap();
                    for TurnRecord { question, answer, about } in &session.turns {
                        check_own(
                            &format!("{question} {answer} {about:?}"),
                            &person.mark,
                            "a conversation",
                        );
                    }
                    let lives = self.settings.limits.session_ttl.as_secs() > 3_600;
                    if self.store_faults == 0 && lives && !person.was_dropped.get() {
                        assert_eq!(session.questions, *questions, "{id} of {}", person.mark);
                    }
                }
            }
        });
    }

    /// What is reserved in the end is never less than what providers bill, and no more either where
    /// everything went well and every instance told what it had to tell.
    async fn check_reservations(&self, asked: &[provider::Asked], is_exact: bool) {
        let mut is_exact = is_exact;
        let last_words = if is_exact { &self.instances[..] } else { &[] };
        for instance in last_words {
            let ports =
                Ports { kv: self.kv.clone(), provider: self.provider.clone(), schedule: self };
            let (settings, retriever) = (&self.settings, self.house.retriever());
            let service = Service { env: &ports, settings, instance, retriever };
            let text = COURTESIES[0].to_owned();
            let request = ChatRequest { question: text, ..ChatRequest::default() };
            let question = Question::from_chat(request).unwrap();
            let (visitor, conversation) = (Visitor::default(), Conversation::None);
            let last = Asked { question, visitor, conversation };
            is_exact &= service.answer(last, &mut Trace::default()).await.is_ok();
        }
        let state = policy::read(self.kv.inner()).await.unwrap().llm;
        let state = State::decode(&state).unwrap_or_default();
        let (now, caps) = (self.clock.now(), self.settings.catalogue.caps());
        for provider in self.settings.catalogue.providers() {
            let gauges = state.gauges(provider, caps, now);
            let used = gauges.iter().find(|it| it.quota == Quota::DailyTokens).map(|it| it.used);
            let used = used.unwrap_or_default();
            // What was reserved at the end of a day may be used for a second try on the next.
            let delay = if is_exact { Duration::ZERO } else { DELAY };
            let today = asked.iter().filter(|it| day(it.at - delay) == day(now));
            let billed: u64 = today.map(|it| it.prompt + it.reply).sum();
            assert!(used >= billed && (used == billed || !is_exact), "{used} {billed} {state:?}");
        }
    }

    fn count(&self, what: &'static str, by: u64) {
        *self.tally.borrow_mut().entry(what).or_default() += by;
    }

    /// A visitor; some come from one address, and some chose the same id from different ones.
    fn person(&self, number: u64) -> Person {
        let (address, id) = match self.chance.below(5) {
            0 => (Some(100), Some(format!("own-{number}"))),
            1 => (None, Some(format!("own-{number}"))),
            2 => (Some(1 + number), None),
            _ => (Some(1 + number), Some("planted".to_owned())),
        };
        Person {
            mark: mark(number as usize),
            visitor: Visitor { address },
            session: RefCell::new(id),
            remembered: RefCell::default(),
            was_dropped: Cell::new(false),
        }
    }

    async fn visit(&self, person: &Person) {
        for _ in 0..1 + self.chance.below(self.chance.one(&[6, 6, 20])) {
            self.clock.sleep(Duration::from_millis(self.chance.below(self.pace))).await;
            match self.chance.below(8) {
                0 => drop(join(self.request(person), self.request(person)).await),
                _ => self.request(person).await,
            }
        }
    }

    /// A request, which is dropped in the middle at times, as when the platform ends it.
    async fn request(&self, person: &Person) {
        let ports = Ports {
            kv: self.kv.counted(),
            provider: self.provider.for_visitor(&person.mark),
            schedule: self,
        };
        let question = self.ask(person, &ports);
        if self.chance.hits(30) {
            let end = turns(self.chance.below(60));
            pin_mut!(question, end);
            if let Either::Right(_) = select(question, end).await {
                person.was_dropped.set(true);
                self.count("dropped", 1);
            }
        } else {
            question.await;
        }
        let writes = ports.kv.writes();
        assert!(writes <= WRITES, "{writes} writes");
    }

    async fn ask(&self, person: &Person, ports: &Ports<'_>) {
        let mark = &person.mark;
        let plain = self.chance.one(&QUESTIONS);
        let text = match self.chance.below(10) {
            0..3 => plain.to_owned(),
            3..6 => self.chance.one(&FOLLOW_UPS).to_owned(),
            6 => self.chance.one(&COURTESIES).to_owned(),
            7 => format!("{mark} asks: {plain}"),
            _ => format!("I am {mark}. {plain}"),
        };
        let text = if self.chance.hits(self.rush) { QUESTIONS[0].to_owned() } else { text };
        let is_courtesy = COURTESIES.contains(&text.as_str());
        let conversation = match self.chance.below(10) {
            0 => Conversation::None,
            1 => Conversation::Sent(vec![TurnRecord {
                question: format!("I am {mark}. {}", QUESTIONS[0]),
                answer: format!("The Royal Society gave it to {mark}."),
                about: None,
            }]),
            _ => Conversation::Kept,
        };
        let is_kept = matches!(conversation, Conversation::Kept);
        let session_id = person.session.borrow().clone().filter(|_| is_kept);
        let request = ChatRequest {
            question: text.clone(),
            session_id: session_id.clone(),
            reasoning_effort: self.chance.hits(200).then(|| "low".to_owned()),
            ..ChatRequest::default()
        };
        let asked = Asked {
            question: Question::from_chat(request).unwrap(),
            visitor: person.visitor,
            conversation,
        };
        let place = self.chance.below(self.instances.len() as u64) as usize;
        let instance = &self.instances[if self.chance.hits(self.rush) { 0 } else { place }];
        let (settings, retriever) = (&self.settings, self.house.retriever());
        let service = Service { env: ports, settings, instance, retriever };

        let started = self.clock.now();
        let mut trace = Trace::new(started);
        let hash = |id: &str| SessionKey::new(id, person.visitor).hash();
        let prepared = service.prepare(asked, &mut trace).await;
        let admission = Admission {
            at: self.clock.now(),
            session: session_id.as_deref().map(hash),
            address: person.visitor.address,
            counted: prepared.as_ref().is_ok_and(|it| !it.standing.0.is_empty()),
        };
        let status = match prepared {
            Err(RequestError::RateLimited { refusal }) => {
                self.count(refusal.limit.label(), 1);
                self.audit.refuse(admission, refusal);
                429
            }
            Err(other) => panic!("{other}"),
            Ok(prepared) => {
                let number = self.audit.admit(admission);
                let spoken = if self.chance.hits(500) {
                    let mut heard = Heard::new(mark);
                    let spoken = service.speak(prepared, &mut trace, &mut heard).await;
                    heard.check(&spoken);
                    spoken
                } else {
                    let spoken = service.speak(prepared, &mut trace, &mut Silent).await;
                    assert!(spoken.is_complete, "half an answer in one piece: {spoken:?}");
                    spoken
                };
                let response = &spoken.response;
                self.count("letters", response.answer.len() as u64);
                check_own(&serde_json::to_string(response).unwrap(), mark, "an answer");
                if spoken.is_complete {
                    check_answer(response, is_courtesy);
                }
                self.count(if spoken.is_complete { "complete" } else { "cut off" }, 1);
                self.count("cached", u64::from(response.cached));
                self.count("by a model", u64::from(response.provider != "extractive"));
                self.count("grounded", u64::from(response.grounded));
                if is_kept {
                    let id = &response.session_id;
                    self.audit.name(number, hash(id));
                    *person.session.borrow_mut() = Some(id.clone());
                    let counts = u32::from(spoken.is_complete && !is_courtesy);
                    *person.remembered.borrow_mut().entry(id.clone()).or_default() += counts;
                }
                200
            }
        };
        let elapsed = self.clock.now() - started;
        assert!(elapsed <= LONGEST, "{elapsed:?} for {text:?}");
        let served = Served {
            request_id: "",
            method: "POST",
            route: "/chat",
            status,
            error_code: None,
            started,
            elapsed,
            request_bytes: None,
            response_bytes: None,
        };
        instance.close(ports, &trace, &served).await;
    }
}
