//! One request on its way: how long it may take, its body, its turns in the pool.

use std::{sync::Arc, time::Duration};

use axum::{body::Bytes, extract::Request, http::HeaderMap};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use crate::{App, Fault};

/// The header by which a client shortens its time, in milliseconds.
const TIMEOUT: &str = "x-request-timeout-ms";

/// A request that is being answered.
pub(super) struct Call {
    pub(super) app: Arc<App>,
    granted: Duration,
    deadline: Instant,
}

impl Call {
    /// Starts the clock.
    pub(super) fn begin(app: Arc<App>, headers: &HeaderMap) -> Result<Self, Fault> {
        let mut granted = app.limits.timeout;
        if let Some(value) = headers.get(TIMEOUT) {
            let milliseconds = value.to_str().ok().and_then(|text| text.trim().parse().ok());
            let wished = milliseconds.map(Duration::from_millis).ok_or(Fault::Invalid {
                field: "X-Request-Timeout-Ms",
                reason: "expected a whole number of milliseconds".to_owned(),
            })?;
            granted = granted.min(wished);
        }
        Ok(Self { app, granted, deadline: Instant::now() + granted })
    }

    /// Reads the body and parses it.
    pub(super) async fn json<T: DeserializeOwned>(&self, request: Request) -> Result<T, Fault> {
        let limit = self.app.limits.max_body_bytes;
        let body = Limited::new(request.into_body(), limit).collect();
        let body: Bytes = match timeout_at(self.deadline, body).await {
            Err(_) => return Err(self.late()),
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                return Err(Fault::TooLarge { limit });
            }
            Ok(Err(error)) => return Err(Fault::BadJson { reason: error.to_string() }),
        };
        serde_json::from_slice(&body).map_err(|error| Fault::BadJson { reason: error.to_string() })
    }

    /// Has the pool do `work`.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let done = self.app.pool.run(self.deadline, work).await;
        done.map_err(|error| Fault::of_pool(error, self.granted.as_millis()))
    }

    /// Refuses texts that are too many or too long.
    pub(super) fn check<'a>(
        &self,
        field: &'static str,
        texts: impl ExactSizeIterator<Item = &'a str>,
    ) -> Result<(), Fault> {
        let limits = &self.app.limits;
        let invalid = |reason| Err(Fault::Invalid { field, reason });
        if texts.len() == 0 || texts.len() > limits.max_documents {
            return invalid(format!("1 to {} texts, got {}", limits.max_documents, texts.len()));
        }
        for (at, text) in texts.enumerate() {
            // Bytes bound characters, and are counted for nothing.
            if text.len() > limits.max_chars && text.chars().count() > limits.max_chars {
                return invalid(format!(
                    "text {at} is longer than {} characters",
                    limits.max_chars
                ));
            }
        }
        Ok(())
    }

    fn late(&self) -> Fault {
        Fault::Late { milliseconds: self.granted.as_millis() }
    }
}
