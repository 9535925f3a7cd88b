//! The ports natively, for one question asked on the command line.

use std::time::{Duration, SystemTime};

use dossier_core::{
    RequestError,
    auth::Visitor,
    chat::{Asked, Conversation, Instance, Question, Service, Settings},
    fakes::{MapConfig, MemoryKv, ScriptedHttp},
    ports::{Clock, Entropy, Env},
    retrieval::Retriever,
    telemetry::Trace,
    wire::{ChatRequest, ChatResponse},
};
use futures::executor::block_on;

/// The system's clock.
#[derive(Debug, Default)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }

    async fn sleep(&self, span: Duration) {
        // One question has the thread to itself.
        std::thread::sleep(span);
    }
}

/// The system's randomness.
#[derive(Debug, Default)]
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            // Without randomness no id is safe; every system this runs on has it.
            eprintln!("dossier: the system has no randomness: {error}");
            std::process::exit(crate::output::FAILED.into());
        }
    }
}

/// The chat service on ports of this process, for questions asked one after the other.
#[derive(Debug)]
pub(crate) struct NativeChat {
    env: NativeEnv,
    settings: Settings,
    instance: Instance,
}

impl NativeChat {
    /// A service without providers, whose limits are a developer's.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let env = NativeEnv::default();
        let settings = block_on(Settings::configured(&env.config))?;
        let instance = Instance::new(&env.entropy);
        Ok(Self { env, settings, instance })
    }

    /// The service over an index.
    pub(crate) fn over<'a>(&'a self, retriever: Retriever<'a>) -> Service<'a, NativeEnv> {
        let Self { env, settings, instance } = self;
        Service { env, settings, instance, retriever }
    }

    /// Answers a question.
    pub(crate) fn ask(
        &self,
        retriever: Retriever<'_>,
        request: ChatRequest,
    ) -> Result<ChatResponse, RequestError> {
        let asked = Asked {
            question: Question::from_chat(request)?,
            visitor: Visitor::default(),
            conversation: Conversation::Kept,
        };
        let answered = block_on(self.over(retriever).answer(asked, &mut Trace::default()));
        answered.map(|(response, _)| response)
    }
}

/// A conversation that lives as long as the process, without providers.
#[derive(Debug, Default)]
pub(crate) struct NativeEnv {
    kv: MemoryKv,
    http: ScriptedHttp,
    clock: SystemClock,
    entropy: SystemEntropy,
    config: MapConfig,
}

impl Env for NativeEnv {
    type Kv = MemoryKv;
    type Http = ScriptedHttp;
    type Clock = SystemClock;
    type Entropy = SystemEntropy;
    type Config = MapConfig;

    fn kv(&self) -> &MemoryKv {
        &self.kv
    }
    fn http(&self) -> &ScriptedHttp {
        &self.http
    }
    fn clock(&self) -> &SystemClock {
        &self.clock
    }
    fn entropy(&self) -> &SystemEntropy {
        &self.entropy
    }
    fn config(&self) -> &MapConfig {
        &self.config
    }
}
