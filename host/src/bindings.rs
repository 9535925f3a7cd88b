//! Rust traits for the interfaces in `wit/`, generated. Who implements them: `kv`, `sql` and `config`.

mod generated {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "imports",
        // Trappable, because a handle that is not in the table is a bug to stop at, not an answer.
        imports: { default: async | trappable },
        with: {
            "spin:key-value/key-value.store": crate::kv::Bucket,
            "spin:postgres/postgres.connection": crate::sql::postgres::Connection,
            "spin:postgres/postgres.connection-builder": crate::sql::postgres::Builder,
            "spin:sqlite/sqlite.connection": crate::sql::sqlite::Connection,
            "wasi:keyvalue/store.bucket": crate::kv::Bucket,
            "wasi:keyvalue/atomics.cas": crate::kv::Cas,
        },
    });
}

pub(crate) use generated::{spin, wasi};
