//! From a manifest to functions that can be called: compile, link, grant, pre-instantiate.
//!
//! Routing decides which function, the server decides when.

use crate::bindings::{spin, wasi};
use crate::config::Config;
use crate::engine::Compiler;
use crate::error::Error;
use crate::guest::{Guest, GuestSpec};
use crate::instance::Blueprint;
use crate::kv::{Kv, KvAccess};
use crate::lanes::Lanes;
use crate::limits::Limits;
use crate::manifest::{Component as Declaration, Manifest};
use crate::outbound::{AllowedHosts, Outbound};
use crate::sql::postgres::{PostgresAccess, Servers};
use crate::sql::sqlite::{Databases, Files, SqliteAccess};
use crate::store::KvStore;
use crate::template::Template;
use crate::variables::Variables;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};
use wasmtime_wasi_http::handler::ProxyPre;
use wasmtime_wasi_http::{p2, p3};

/// The callable components of an application, by id.
pub(crate) type Functions = BTreeMap<String, Lanes>;

/// What every component is built with.
pub(crate) struct Site<'a> {
    pub(crate) manifest: &'a Manifest,
    pub(crate) variables: &'a Variables,
    pub(crate) store: &'a KvStore,
    pub(crate) files: &'a Files,
    pub(crate) limits: &'a Arc<Limits>,
    pub(crate) closing: &'a watch::Sender<bool>,
}

/// Makes a function of every component that a route leads to.
pub(crate) async fn build(site: &Site<'_>, compiler: &Compiler) -> Result<Functions, Error> {
    let linker = linker(&compiler.engine).map_err(|reason| Error::Engine { reason })?;
    let mut functions = Functions::new();
    for trigger in &site.manifest.triggers {
        let Some(declaration) = site.manifest.components.get(&trigger.component) else {
            continue;
        };
        if functions.contains_key(&declaration.id) {
            continue;
        }
        let component = compiler.compile(declaration).await?;
        let blueprint = Blueprint {
            engine: compiler.engine.clone(),
            pre: link(&linker, &component, &declaration.id)?,
            spec: spec(site, declaration)?,
            limits: Arc::clone(site.limits),
            closing: site.closing.clone(),
            _alive: site.closing.subscribe(),
        };
        functions.insert(declaration.id.clone(), Lanes::new(blueprint));
    }
    Ok(functions)
}

/// What this host offers to components.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    p2::add_only_http_to_linker_async(&mut linker)?;
    p3::add_to_linker(&mut linker)?;
    spin::key_value::key_value::add_to_linker::<_, Kv>(&mut linker, Guest::kv)?;
    spin::postgres::postgres::add_to_linker::<_, Servers>(&mut linker, Guest::postgres)?;
    spin::sqlite::sqlite::add_to_linker::<_, Databases>(&mut linker, Guest::sqlite)?;
    spin::variables::variables::add_to_linker::<_, Config>(&mut linker, Guest::config)?;
    wasi::keyvalue::store::add_to_linker::<_, Kv>(&mut linker, Guest::kv)?;
    wasi::keyvalue::atomics::add_to_linker::<_, Kv>(&mut linker, Guest::kv)?;
    wasi::keyvalue::batch::add_to_linker::<_, Kv>(&mut linker, Guest::kv)?;
    Ok(linker)
}

fn link(linker: &Linker<Guest>, component: &Component, id: &str) -> Result<ProxyPre<Guest>, Error> {
    let pre = linker
        .instantiate_pre(component)
        .map_err(|reason| Error::Link { id: id.to_owned(), reason })?;
    if let Ok(service) = p3::bindings::ServicePre::new(pre.clone()) {
        return Ok(ProxyPre::P3(service));
    }
    // Components of older SDKs; they get a fresh task per request all the same.
    match p2::bindings::ProxyPre::new(pre) {
        Ok(proxy) => Ok(ProxyPre::P2(proxy)),
        Err(_) => Err(Error::NoHandler { id: id.to_owned() }),
    }
}

fn spec(site: &Site<'_>, declaration: &Declaration) -> Result<GuestSpec, Error> {
    let id: Arc<str> = declaration.id.as_str().into();
    let patterns = declaration
        .allowed_outbound_hosts
        .iter()
        // The manifest refuses undeclared names, so every hole has a value.
        .filter_map(|template| template.render(|name| site.variables.get(name)).ok())
        // An optional host is an empty variable.
        .filter(|pattern| !pattern.is_empty());
    let allowed = AllowedHosts::parse(patterns)
        .map_err(|reason| Error::HostPattern { id: declaration.id.clone(), reason })?;
    let names = declaration.allowed_outbound_hosts.iter().flat_map(Template::names);
    let allowed = Arc::new(allowed.with_variables(names));
    Ok(GuestSpec {
        environment: declaration.environment.clone(),
        variables: Arc::new(site.variables.of_component(declaration)),
        kv: KvAccess {
            store: site.store.clone(),
            labels: Arc::new(declaration.key_value_stores.iter().cloned().collect()),
        },
        outbound: Outbound {
            component: Arc::clone(&id),
            allowed: Arc::clone(&allowed),
            timeout: site.limits.request_timeout,
        },
        postgres: PostgresAccess::new(Arc::clone(&id), allowed, &site.limits.sql),
        sqlite: SqliteAccess {
            files: site.files.clone(),
            labels: Arc::new(declaration.sqlite_databases.iter().cloned().collect()),
        },
        id,
    })
}
