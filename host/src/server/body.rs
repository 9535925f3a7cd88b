//! Bodies on their way in and out: one counts bytes, the other keeps a place in the queue.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::sync::OwnedSemaphorePermit;
use wasmtime_wasi_http::{Error, WasiBody};

/// A request body that fails once it grows past its limit.
pub(crate) struct Limited {
    inner: Incoming,
    limit: usize,
    read: usize,
    exceeded: Arc<AtomicBool>,
}

impl Limited {
    /// `exceeded` turns true when the limit is passed, so that the answer can say so.
    pub(crate) fn new(inner: Incoming, limit: usize, exceeded: Arc<AtomicBool>) -> Self {
        Self { inner, limit, read: 0, exceeded }
    }
}

impl Body for Limited {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            self.read = self.read.saturating_add(data.len());
            if self.read > self.limit {
                self.exceeded.store(true, Ordering::Relaxed);
                let limit = u64::try_from(self.limit).ok();
                return Poll::Ready(Some(Err(Error::HttpRequestBodySize(limit))));
            }
        }
        polled.map_err(Error::from)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A response body that counts as a request in flight until its last byte is taken.
pub(crate) struct Tracked {
    inner: WasiBody,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Tracked {
    pub(crate) fn new(inner: WasiBody, permit: Option<OwnedSemaphorePermit>) -> Self {
        Self { inner, _permit: permit }
    }
}

impl Body for Tracked {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
