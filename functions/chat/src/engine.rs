//! What an instance keeps between requests: the encoder and the index that serves.
//!
//! Nothing of a request is kept. The encoder and the embedded index are opened when the component is
//! built, else at the first request. A published index replaces the embedded one from the next request
//! on, and one that cannot be opened leaves the old one serving.

use std::{cell::RefCell, rc::Rc, time::Duration};

use dossier_core::{
    RequestError,
    chat::rehearse,
    index::Index,
    model::{Encoder, ModelFiles},
    pack::published,
    ports::{Clock as _, Kv},
    retrieval::Retriever,
};
use dossier_platform::SystemClock;
use futures::lock::Mutex;

/// Time between two looks whether another request has opened the index.
const TURN: Duration = Duration::from_millis(5);

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}

/// An index with the encoder that fits it.
pub(crate) struct Engine {
    index: Index,
    encoder: Option<Rc<Encoder>>,
}

impl Engine {
    pub(crate) fn retriever(&self) -> Retriever<'_> {
        Retriever::new(&self.index, self.encoder.as_deref())
    }

    fn new(index: Index, encoder: Option<Rc<Encoder>>) -> Self {
        if let Err(error) = index.check_model(encoder.as_deref().map(Encoder::id)) {
            eprintln!("search runs on its lexical leg alone: {error}");
        }
        Self { index, encoder }
    }
}

/// The published version last tried, and what serves.
#[derive(Default)]
struct Serving {
    tried: Option<String>,
    engine: Option<Rc<Engine>>,
}

impl Serving {
    /// Serves `pack` from now on, or goes on as before where it cannot be opened.
    fn use_pack(&mut self, pack: Vec<u8>) {
        match Index::open(pack) {
            Ok(index) => {
                self.engine = Some(Rc::new(Engine::new(index, ENCODER.with(Clone::clone))));
            }
            Err(error) => eprintln!("the published index is not used: {error}"),
        }
    }
}

thread_local! {
    static ENCODER: Option<Rc<Encoder>> = open_encoder();
    static EMBEDDED: RefCell<Option<Rc<Engine>>> = const { RefCell::new(None) };
    /// Held while a published index is fetched, so that concurrent requests fetch it once.
    static SERVING: Rc<Mutex<Serving>> = Rc::default();
}

/// Returns the engine for a request: one read of the store.
pub(crate) async fn current(kv: &impl Kv) -> Result<Rc<Engine>, RequestError> {
    let serving = SERVING.with(Rc::clone);
    let mut serving = loop {
        if let Some(serving) = serving.try_lock() {
            break serving;
        }
        // By the clock: requests of one instance cannot wake each other (0024).
        SystemClock.sleep(TURN).await;
    };
    match published::current(kv).await {
        Ok(Some(pointer)) if serving.tried.as_ref() != Some(&pointer.version) => {
            match published::fetch(kv, &pointer).await {
                Ok(pack) => {
                    serving.tried = Some(pointer.version);
                    serving.use_pack(pack);
                }
                // Tried again with the next request: the store may only have hiccuped.
                Err(error) => eprintln!("the published index cannot be fetched: {error}"),
            }
        }
        Ok(None) => *serving = Serving::default(),
        // Without the store, whatever serves goes on serving.
        Ok(Some(_)) | Err(_) => {}
    }
    if let Some(engine) = &serving.engine {
        return Ok(Rc::clone(engine));
    }
    open_embedded()
}

/// Opens what is embedded before the first request, and goes through a question with it.
pub(crate) fn open_ahead() {
    if let Ok(engine) = open_embedded() {
        rehearse(&engine.retriever());
    }
}

fn open_embedded() -> Result<Rc<Engine>, RequestError> {
    if let Some(engine) = EMBEDDED.with_borrow(Clone::clone) {
        return Ok(engine);
    }
    let missing = "there is no index yet: run `cargo xtask index`, or `dossier up --pack FILE`";
    let pack = embedded::PACK.ok_or(RequestError::Unavailable { reason: missing.to_owned() })?;
    let index = Index::open_static(pack)
        .map_err(|error| RequestError::Unavailable { reason: error.to_string() })?;
    let engine = Rc::new(Engine::new(index, ENCODER.with(Clone::clone)));
    EMBEDDED.set(Some(Rc::clone(&engine)));
    Ok(engine)
}

fn open_encoder() -> Option<Rc<Encoder>> {
    let files = ModelFiles {
        id: embedded::MODEL.into(),
        tokenizer: embedded::TOKENIZER?.into(),
        vocabulary: embedded::VOCABULARY?.into(),
        weights: embedded::WEIGHTS?.into(),
    };
    match Encoder::open(files) {
        Ok(encoder) => Some(Rc::new(encoder)),
        Err(error) => {
            eprintln!("search runs on its lexical leg alone: {error}");
            None
        }
    }
}
