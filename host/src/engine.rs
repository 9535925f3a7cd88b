//! The WebAssembly engine: how components are compiled, cached, given memory and interrupted.
//!
//! What runs in it, and who may call whom, is decided in `app`.

use crate::error::Error;
use crate::limits::Limits;
use crate::manifest::Component as Declaration;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use wasmtime::component::Component;
use wasmtime::{
    Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig,
};

/// How often a computing guest is interrupted to let others run and its deadline be checked:
/// coarse enough to cost nothing, fine enough that a deadline is kept to a hundredth of a second.
const TICK: Duration = Duration::from_millis(10);

/// How long a compilation is silent; a cached component is loaded well within it.
const PATIENCE: Duration = Duration::from_millis(750);

/// Core instances inside one component: the program, its adapters, and the glue between them.
const CORE_INSTANCES: u32 = 8;

/// Entries of one table. Programs with many virtual methods pass the runtime's 20 000.
const TABLE_ELEMENTS: usize = 100_000;

/// An engine and its cache of compiled code.
pub(crate) struct Compiler {
    pub(crate) engine: Engine,
    cache: Option<Cache>,
}

impl Compiler {
    /// Sets up an engine that keeps compiled code in `cache`, and the thread that ticks for it.
    pub(crate) fn new(limits: &Limits, cache: &Path) -> Result<Self, Error> {
        let cache = open_cache(cache);
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(limits.instances)
            .total_core_instances(limits.instances.saturating_mul(CORE_INSTANCES))
            .total_memories(limits.instances.saturating_mul(2))
            .total_tables(limits.instances.saturating_mul(4))
            // A task has its own stack, and one instance runs several tasks.
            .total_stacks(limits.instances.saturating_mul(4))
            .max_memory_size(limits.instance_memory)
            .table_elements(TABLE_ELEMENTS)
            .max_core_instances_per_component(CORE_INSTANCES)
            .max_component_instance_size(4 * 1024 * 1024)
            .max_core_instance_size(4 * 1024 * 1024);
        let mut config = config();
        config
            .epoch_interruption(true)
            .cache(cache.clone())
            .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let engine = Engine::new(&config).map_err(|reason| Error::Engine { reason })?;
        tick(&engine);
        Ok(Self { engine, cache })
    }

    /// Compiles a component, or loads it from the cache, and logs which.
    pub(crate) async fn compile(&self, declaration: &Declaration) -> Result<Component, Error> {
        let (id, path) = (declaration.id.as_str(), declaration.source.clone());
        if let Err(reason) = std::fs::metadata(&path) {
            return Err(Error::ComponentFile { id: id.to_owned(), path, reason });
        }
        let hits = self.hits();
        let start = Instant::now();
        let mut work = tokio::task::spawn_blocking({
            let (engine, path) = (self.engine.clone(), path.clone());
            move || Component::from_file(&engine, path)
        });
        let outcome = match tokio::time::timeout(PATIENCE, &mut work).await {
            Ok(outcome) => outcome,
            Err(_) => {
                tracing::info!(component = id, "compiling component {id} (first time, ~20 s)");
                work.await
            }
        };
        let compiled = outcome.map_err(wasmtime::Error::from).flatten();
        let component =
            compiled.map_err(|reason| Error::Compile { id: id.to_owned(), path, reason })?;
        tracing::info!(
            component = id,
            cached = self.hits() > hits,
            milliseconds = start.elapsed().as_millis() as u64,
            "component {id} is ready"
        );
        Ok(component)
    }

    fn hits(&self) -> usize {
        self.cache.as_ref().map_or(0, Cache::cache_hits)
    }
}

/// What every guest may use, wherever it runs.
pub(crate) fn config() -> Config {
    let mut config = Config::new();
    // Twice the runtime's own stack, for parsers and inference graphs that recurse.
    config.wasm_component_model_async(true).max_wasm_stack(1024 * 1024);
    config
}

/// Without a cache the host starts slowly, which is better than not at all.
fn open_cache(folder: &Path) -> Option<Cache> {
    let open = || -> wasmtime::Result<Cache> {
        std::fs::create_dir_all(folder)?;
        let absolute: PathBuf = folder.canonicalize()?;
        let mut config = CacheConfig::new();
        config.with_directory(absolute);
        Cache::new(config)
    };
    open()
        .inspect_err(|error| {
            tracing::warn!(folder = %folder.display(), %error, "compiled components will not be cached");
        })
        .ok()
}

fn tick(engine: &Engine) {
    let engine = engine.weak();
    let ticker = std::thread::Builder::new().name("epoch".to_owned()).spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    });
    if let Err(error) = ticker {
        tracing::error!(%error, "guests that compute forever will not be interrupted");
    }
}
