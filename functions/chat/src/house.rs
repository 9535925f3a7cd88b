//! What a request works with: the ports, the index that serves, and what the instance keeps.

use std::{cell::RefCell, rc::Rc};

use dossier_core::{
    RequestError,
    auth::Access,
    chat::{Instance, Service, Settings},
    ports::Env as _,
    telemetry::{Served, Trace, Visitor, log_line},
};
use dossier_platform::{Exchange, SpinEnv, SystemEntropy};
use http::Method;

use crate::engine::{self, Engine};

/// What the operator decided. It does not change while the instance lives.
pub(crate) struct Setup {
    pub(crate) access: Access,
    pub(crate) settings: Settings,
}

thread_local! {
    static SETUP: RefCell<Option<Rc<Setup>>> = const { RefCell::new(None) };
    static INSTANCE: Rc<Instance> = Rc::new(Instance::new(&SystemEntropy));
}

/// What a request works with.
pub(crate) struct House {
    pub(crate) env: SpinEnv,
    pub(crate) setup: Rc<Setup>,
    pub(crate) engine: Rc<Engine>,
    pub(crate) instance: Rc<Instance>,
}

impl House {
    /// Opens the index that serves.
    ///
    /// # Errors
    /// [`RequestError::Unavailable`] where there is none.
    pub(crate) async fn open(setup: Rc<Setup>) -> Result<Self, RequestError> {
        let env = SpinEnv::default();
        let engine = engine::current(env.kv()).await?;
        Ok(Self { env, setup, engine, instance: instance() })
    }

    pub(crate) fn service(&self) -> Service<'_, SpinEnv> {
        Service {
            env: &self.env,
            settings: &self.setup.settings,
            instance: &self.instance,
            retriever: self.engine.retriever(),
        }
    }
}

/// What this instance keeps.
pub(crate) fn instance() -> Rc<Instance> {
    INSTANCE.with(Rc::clone)
}

/// The configuration, read once; a faulty one is read again, for the operator may have mended it.
///
/// # Errors
/// [`RequestError::Misconfigured`].
pub(crate) async fn setup(env: &SpinEnv) -> Result<Rc<Setup>, RequestError> {
    if let Some(setup) = SETUP.with_borrow(Clone::clone) {
        return Ok(setup);
    }
    let access = Access::configured(env.config()).await?;
    let settings = Settings::configured(env.config()).await?;
    let setup = Rc::new(Setup { access, settings });
    SETUP.set(Some(Rc::clone(&setup)));
    Ok(setup)
}

/// A request as the log and the numbers see it.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) exchange: Exchange,
    pub(crate) method: Method,
    pub(crate) trace: Trace,
    pub(crate) session: Option<String>,
    pub(crate) client: Option<u64>,
    /// What may be logged of the question.
    pub(crate) question: Option<String>,
}

impl Account {
    pub(crate) fn new(exchange: &Exchange, method: Method) -> Self {
        let trace = Trace::new(exchange.started);
        let exchange = exchange.clone();
        Self { exchange, method, trace, session: None, client: None, question: None }
    }

    /// Counts and logs the request, which is over.
    pub(crate) async fn close(self, status: u16, error_code: Option<&'static str>) {
        let env = SpinEnv::default();
        let served = Served {
            request_id: &self.exchange.request_id,
            method: self.method.as_str(),
            route: &self.exchange.route,
            status,
            error_code,
            started: self.exchange.started,
            elapsed: self.exchange.elapsed(),
            request_bytes: None,
            response_bytes: None,
        };
        let client = self.client.map(|hash| format!("{hash:016x}"));
        let visitor = Visitor {
            client: client.as_deref(),
            session: self.session.as_deref(),
            question: self.question.as_deref(),
        };
        eprintln!("{}", log_line(&served, &self.exchange.context, Some(&self.trace), &visitor));
        instance().close(&env, &self.trace, &served).await;
    }
}
