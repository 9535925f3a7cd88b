//! `spin:key-value@3.0.0`, the store of the Spin SDK.
//!
//! `open` answers access-denied for a label the manifest does not grant; limits and disk failures
//! arrive as `other` with a text. `get-keys` streams a snapshot.

use super::{Bucket, Kv, KvView};
use crate::bindings::spin::key_value::key_value::{self, Error};
use crate::store::StoreError;
use wasmtime::Result;
use wasmtime::component::{Accessor, FutureReader, Resource, StreamReader};

impl key_value::Host for KvView<'_> {}

impl key_value::HostStore for KvView<'_> {
    async fn drop(&mut self, store: Resource<Bucket>) -> Result<()> {
        self.table.delete(store)?;
        Ok(())
    }
}

impl<T: Send> key_value::HostStoreWithStore<T> for Kv {
    async fn open(
        accessor: &Accessor<T, Self>,
        label: String,
    ) -> Result<Result<Resource<Bucket>, Error>> {
        accessor.with(|mut access| {
            let view = access.get();
            match view.access.bucket(label) {
                Some(bucket) => Ok(Ok(view.table.push(bucket)?)),
                None => Ok(Err(Error::AccessDenied)),
            }
        })
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        store: Resource<Bucket>,
        key: String,
    ) -> Result<Result<Option<Vec<u8>>, Error>> {
        let bucket = bucket(accessor, &store)?;
        Ok(bucket.read(|kv, label| kv.get(label, &key)).map_err(into))
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        store: Resource<Bucket>,
        key: String,
        value: Vec<u8>,
    ) -> Result<Result<(), Error>> {
        let bucket = bucket(accessor, &store)?;
        let written = bucket.write(move |kv, label| kv.set(label, &key, &value));
        Ok(written.await.map_err(into))
    }

    async fn delete(
        accessor: &Accessor<T, Self>,
        store: Resource<Bucket>,
        key: String,
    ) -> Result<Result<(), Error>> {
        let bucket = bucket(accessor, &store)?;
        let written = bucket.write(move |kv, label| kv.delete(label, &key));
        Ok(written.await.map_err(into))
    }

    async fn exists(
        accessor: &Accessor<T, Self>,
        store: Resource<Bucket>,
        key: String,
    ) -> Result<Result<bool, Error>> {
        let bucket = bucket(accessor, &store)?;
        Ok(bucket.read(|kv, label| kv.exists(label, &key)).map_err(into))
    }

    async fn get_keys(
        accessor: &Accessor<T, Self>,
        store: Resource<Bucket>,
    ) -> Result<(StreamReader<String>, FutureReader<Result<(), Error>>)> {
        let bucket = bucket(accessor, &store)?;
        let (keys, outcome) = match bucket.read(|kv, label| kv.list(label, "")) {
            Ok(keys) => (keys, Ok(())),
            Err(error) => (Vec::new(), Err(into(error))),
        };
        accessor.with(|mut access| {
            let keys = StreamReader::new(&mut access, keys)?;
            let outcome =
                FutureReader::new(&mut access, async move { wasmtime::error::Ok(outcome) })?;
            Ok((keys, outcome))
        })
    }
}

fn bucket<T>(accessor: &Accessor<T, Kv>, store: &Resource<Bucket>) -> Result<Bucket> {
    accessor.with(|mut access| Ok(access.get().table.get(store)?.clone()))
}

fn into(error: StoreError) -> Error {
    Error::Other(error.to_string())
}
