//! `wasi:keyvalue@0.2.0-draft2`: store, atomics and batch.
//!
//! A compare-and-swap handle remembers what the key held when it was made; `swap` succeeds only if
//! it holds the same now, and otherwise answers with a fresh handle on what it holds instead.
//! Batches are one transaction here, which is more than the interface promises.

use super::{Bucket, Cas, KvView};
use crate::bindings::wasi::keyvalue::atomics::{self, CasError};
use crate::bindings::wasi::keyvalue::batch;
use crate::bindings::wasi::keyvalue::store::{self, Error, KeyResponse};
use crate::store::{StoreError, Swapped};
use wasmtime::Result;
use wasmtime::component::Resource;

/// Keys in one page of `list-keys`: at 255 bytes a key, at most a quarter of a megabyte.
const PAGE: usize = 1000;

impl store::Host for KvView<'_> {
    async fn open(&mut self, identifier: String) -> Result<Result<Resource<Bucket>, Error>> {
        match self.access.bucket(identifier) {
            Some(bucket) => Ok(Ok(self.table.push(bucket)?)),
            None => Ok(Err(Error::AccessDenied)),
        }
    }
}

impl store::HostBucket for KvView<'_> {
    async fn get(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
    ) -> Result<Result<Option<Vec<u8>>, Error>> {
        let bucket = self.table.get(&bucket)?;
        Ok(bucket.read(|kv, label| kv.get(label, &key)).map_err(into))
    }

    async fn set(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
        value: Vec<u8>,
    ) -> Result<Result<(), Error>> {
        let bucket = self.table.get(&bucket)?;
        let written = bucket.write(move |kv, label| kv.set(label, &key, &value));
        Ok(written.await.map_err(into))
    }

    async fn delete(&mut self, bucket: Resource<Bucket>, key: String) -> Result<Result<(), Error>> {
        let bucket = self.table.get(&bucket)?;
        let written = bucket.write(move |kv, label| kv.delete(label, &key));
        Ok(written.await.map_err(into))
    }

    async fn exists(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
    ) -> Result<Result<bool, Error>> {
        let bucket = self.table.get(&bucket)?;
        Ok(bucket.read(|kv, label| kv.exists(label, &key)).map_err(into))
    }

    async fn list_keys(
        &mut self,
        bucket: Resource<Bucket>,
        cursor: Option<String>,
    ) -> Result<Result<KeyResponse, Error>> {
        let bucket = self.table.get(&bucket)?;
        let page = bucket.read(|kv, label| kv.page(label, cursor.as_deref(), PAGE));
        Ok(page.map_err(into).map(|keys| KeyResponse {
            // A short page is the last one; a full one may be followed by an empty one.
            cursor: keys.last().filter(|_| keys.len() == PAGE).cloned(),
            keys,
        }))
    }

    async fn drop(&mut self, bucket: Resource<Bucket>) -> Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl atomics::Host for KvView<'_> {
    async fn increment(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
        delta: i64,
    ) -> Result<Result<i64, Error>> {
        let bucket = self.table.get(&bucket)?;
        let written = bucket.write(move |kv, label| kv.increment(label, &key, delta));
        Ok(written.await.map_err(into))
    }

    async fn swap(&mut self, cas: Resource<Cas>, value: Vec<u8>) -> Result<Result<(), CasError>> {
        let Cas { bucket, key, seen } = self.table.delete(cas)?;
        let outcome = bucket
            .write({
                let key = key.clone();
                move |kv, label| kv.compare_and_swap(label, &key, seen.as_deref(), Some(&value))
            })
            .await;
        match outcome {
            Ok(Swapped::Done) => Ok(Ok(())),
            Ok(Swapped::Stale(seen)) => {
                let fresh = self.table.push(Cas { bucket, key, seen })?;
                Ok(Err(CasError::CasFailed(fresh)))
            }
            Err(error) => Ok(Err(CasError::StoreError(into(error)))),
        }
    }
}

impl atomics::HostCas for KvView<'_> {
    async fn new(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
    ) -> Result<Result<Resource<Cas>, Error>> {
        let bucket = self.table.get(&bucket)?.clone();
        match bucket.read(|kv, label| kv.get(label, &key)) {
            Ok(seen) => Ok(Ok(self.table.push(Cas { bucket, key, seen })?)),
            Err(error) => Ok(Err(into(error))),
        }
    }

    async fn current(&mut self, cas: Resource<Cas>) -> Result<Result<Option<Vec<u8>>, Error>> {
        // What the handle saw, not what the key holds by now: a decision taken on a newer value
        // would pass the comparison with the older one only by luck.
        Ok(Ok(self.table.get(&cas)?.seen.clone()))
    }

    async fn drop(&mut self, cas: Resource<Cas>) -> Result<()> {
        self.table.delete(cas)?;
        Ok(())
    }
}

type Pairs = Vec<(String, Option<Vec<u8>>)>;

impl batch::Host for KvView<'_> {
    async fn get_many(
        &mut self,
        bucket: Resource<Bucket>,
        keys: Vec<String>,
    ) -> Result<Result<Pairs, Error>> {
        let bucket = self.table.get(&bucket)?;
        let pairs = keys
            .into_iter()
            .map(|key| {
                let value = bucket.read(|kv, label| kv.get(label, &key))?;
                Ok((key, value))
            })
            .collect::<Result<Pairs, StoreError>>();
        Ok(pairs.map_err(into))
    }

    async fn set_many(
        &mut self,
        bucket: Resource<Bucket>,
        pairs: Vec<(String, Vec<u8>)>,
    ) -> Result<Result<(), Error>> {
        let bucket = self.table.get(&bucket)?;
        let written = bucket.write(move |kv, label| kv.set_many(label, &pairs));
        Ok(written.await.map_err(into))
    }

    async fn delete_many(
        &mut self,
        bucket: Resource<Bucket>,
        keys: Vec<String>,
    ) -> Result<Result<(), Error>> {
        let bucket = self.table.get(&bucket)?;
        let written = bucket.write(move |kv, label| kv.delete_many(label, &keys));
        Ok(written.await.map_err(into))
    }
}

fn into(error: StoreError) -> Error {
    Error::Other(error.to_string())
}
