//! Runs a component's initialisation when it is built, and writes what it leaves in memory into the
//! component, so that an instance starts with everything opened.
//!
//! The component exports `wizer-initialize`, which sees no store, no network, no variables and no
//! clock: what it opens is the same for every instance. Chance is fixed too, so that the same
//! component gives the same bytes.

use crate::app::linker;
use crate::engine::config;
use crate::guest::{Guest, GuestSpec};
use crate::kv::KvAccess;
use crate::limits::SqlLimits;
use crate::outbound::{AllowedHosts, Outbound};
use crate::sql::postgres::PostgresAccess;
use crate::sql::sqlite::{Files, SqliteAccess};
use crate::store::KvStore;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use wasmtime::component::{Component, Instance, Lift};
use wasmtime::{Engine, Result, Store, bail};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::random::Deterministic;
use wasmtime_wizer::{ComponentInstanceState, Wizer};

/// The export that is called.
const EXPORT: &str = "wizer-initialize";

/// Returns `component` as it is after its initialisation.
///
/// # Errors
/// `component` is none, lacks the export, or traps in it.
pub async fn preinitialise(component: &[u8]) -> Result<Vec<u8>> {
    let engine = Engine::new(&config())?;
    let mut wizer = Wizer::new();
    // Wizer 48 takes the export from the core module and leaves the component naming it.
    wizer.init_func(EXPORT).keep_init_func(true);
    let (context, instrumented) = wizer.instrument_component(component)?;
    let instrumented = Component::new(&engine, &instrumented)?;
    let mut store = Store::new(&engine, builder()?);
    let instance = linker(&engine)?.instantiate_async(&mut store, &instrumented).await?;
    let Ok(initialise) = instance.get_typed_func::<(), ()>(&mut store, EXPORT) else {
        bail!("there is no export {EXPORT} without parameters and result");
    };
    initialise.call_async(&mut store, ()).await?;
    wizer.snapshot_component(&context, &mut Built { store: &mut store, instance }).await
}

/// A guest that may do nothing but complain.
fn builder() -> Result<Guest> {
    let id: Arc<str> = "preinitialise".into();
    let allowed = Arc::new(AllowedHosts::default());
    let limits = SqlLimits::default();
    let spec = GuestSpec {
        environment: Default::default(),
        variables: Default::default(),
        kv: KvAccess { store: KvStore::in_memory()?, labels: Default::default() },
        outbound: Outbound {
            component: Arc::clone(&id),
            allowed: Arc::clone(&allowed),
            timeout: Duration::ZERO,
        },
        postgres: PostgresAccess::new(Arc::clone(&id), allowed, &limits),
        sqlite: SqliteAccess {
            files: Files::new(Path::new(""), &limits),
            labels: Default::default(),
        },
        id,
    };
    let mut wasi = WasiCtxBuilder::new();
    wasi.inherit_stderr()
        .secure_random(Deterministic::new(vec![0]))
        .insecure_random(Deterministic::new(vec![0]))
        .insecure_random_seed(0);
    Ok(Guest::with(&spec, wasi))
}

/// The initialised instance, as the writer of the image reads it.
struct Built<'a> {
    store: &'a mut Store<Guest>,
    instance: Instance,
}

impl Built<'_> {
    /// What an accessor says that the writer itself put into the component.
    #[expect(clippy::expect_used, reason = "the writer's trait leaves no room for errors")]
    async fn read<R: Lift + Send + Sync + 'static>(&mut self, instance: &str, name: &str) -> R {
        let read = async {
            let missing = || wasmtime::format_err!("{instance}#{name} is not exported");
            let (_, at) =
                self.instance.get_export(&mut *self.store, None, instance).ok_or_else(missing)?;
            let (_, at) =
                self.instance.get_export(&mut *self.store, Some(&at), name).ok_or_else(missing)?;
            let function = self.instance.get_typed_func::<(), (R,)>(&mut *self.store, at)?;
            Ok::<_, wasmtime::Error>(function.call_async(&mut *self.store, ()).await?.0)
        };
        read.await.expect("accessors of one's own making answer")
    }
}

impl ComponentInstanceState for Built<'_> {
    async fn call_func_ret_list_u8(
        &mut self,
        instance: &str,
        func: &str,
        contents: impl FnOnce(&[u8]) + Send,
    ) {
        let bytes: Vec<u8> = self.read(instance, func).await;
        contents(&bytes);
    }

    async fn call_func_ret_s32(&mut self, instance: &str, func: &str) -> i32 {
        self.read(instance, func).await
    }

    async fn call_func_ret_s64(&mut self, instance: &str, func: &str) -> i64 {
        self.read(instance, func).await
    }

    async fn call_func_ret_f32(&mut self, instance: &str, func: &str) -> u32 {
        self.read::<f32>(instance, func).await.to_bits()
    }

    async fn call_func_ret_f64(&mut self, instance: &str, func: &str) -> u64 {
        self.read::<f64>(instance, func).await.to_bits()
    }
}
