//! The state of one instance, and what it is made from.
//!
//! Gives each interface a view of just what it needs. Nothing of a single request is kept here: an
//! instance serves many.

use crate::config::ConfigView;
use crate::kv::{KvAccess, KvView};
use crate::outbound::Outbound;
use crate::sql::postgres::{PostgresAccess, PostgresView};
use crate::sql::sqlite::{SqliteAccess, SqliteView};
use crate::stdio::{Channel, LogLines};
use std::collections::BTreeMap;
use std::sync::Arc;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// What all instances of a component share.
pub(crate) struct GuestSpec {
    pub(crate) id: Arc<str>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) variables: Arc<BTreeMap<String, String>>,
    pub(crate) kv: KvAccess,
    pub(crate) outbound: Outbound,
    pub(crate) postgres: PostgresAccess,
    pub(crate) sqlite: SqliteAccess,
}

/// The state of one instance.
pub(crate) struct Guest {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound: Outbound,
    kv: KvAccess,
    postgres: PostgresAccess,
    sqlite: SqliteAccess,
    variables: Arc<BTreeMap<String, String>>,
}

impl Guest {
    pub(crate) fn new(spec: &GuestSpec) -> Self {
        // The builder grants nothing by itself: no files, no sockets, no names, no arguments.
        let mut wasi = WasiCtxBuilder::new();
        wasi.stdout(LogLines::new(Arc::clone(&spec.id), Channel::Stdout))
            .stderr(LogLines::new(Arc::clone(&spec.id), Channel::Stderr));
        for (name, value) in &spec.environment {
            wasi.env(name, value);
        }
        Self::with(spec, wasi)
    }

    /// A guest that is granted what `wasi` says, but no sockets.
    pub(crate) fn with(spec: &GuestSpec, mut wasi: WasiCtxBuilder) -> Self {
        wasi.allow_tcp(false).allow_udp(false);
        Self {
            table: ResourceTable::new(),
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            outbound: spec.outbound.clone(),
            kv: spec.kv.clone(),
            postgres: spec.postgres.clone(),
            sqlite: spec.sqlite.clone(),
            variables: Arc::clone(&spec.variables),
        }
    }

    pub(crate) fn kv(&mut self) -> KvView<'_> {
        KvView { access: &self.kv, table: &mut self.table }
    }

    pub(crate) fn postgres(&mut self) -> PostgresView<'_> {
        PostgresView { access: &self.postgres, table: &mut self.table }
    }

    pub(crate) fn sqlite(&mut self) -> SqliteView<'_> {
        SqliteView { access: &self.sqlite, table: &mut self.table }
    }

    pub(crate) fn config(&mut self) -> ConfigView<'_> {
        ConfigView { values: &self.variables }
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.outbound, table: &mut self.table, ctx: &mut self.http }
    }
}
