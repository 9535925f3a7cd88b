//! The HTTP port: requests to other services, with streamed replies.

use std::time::Duration;

/// A request with its whole body; bodies sent by Dossier are small.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// Method such as `GET` or `POST`.
    pub method: http::Method,
    /// Absolute address, scheme `http` or `https`.
    pub uri: http::Uri,
    /// Header fields.
    pub headers: http::HeaderMap,
    /// Body, empty for none.
    pub body: Vec<u8>,
    /// How long each phase may take.
    pub timeouts: Timeouts,
}

/// How long the phases of an exchange may take; `None` leaves one to the platform.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Timeouts {
    /// From sending to the reply's head, connecting included.
    pub head: Option<Duration>,
    /// From the head, or from a piece of the body, to the next piece.
    pub idle: Option<Duration>,
    /// From sending to the body's last byte.
    pub total: Option<Duration>,
}

impl Timeouts {
    /// Limits the whole exchange and no phase of it.
    pub fn whole(limit: Duration) -> Self {
        Self { total: Some(limit), ..Self::default() }
    }
}

/// What a time-out cut short.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Phase {
    /// Waiting for the reply's head.
    Head,
    /// Waiting for the next piece of the body.
    Idle,
    /// The exchange as a whole.
    Total,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Head => "head of a reply",
            Self::Idle => "further piece of the reply",
            Self::Total => "whole reply",
        })
    }
}

/// A reply whose body is still arriving.
#[derive(Debug)]
pub struct HttpResponse<B> {
    /// Status; every status is a reply, not an error.
    pub status: http::StatusCode,
    /// Header fields.
    pub headers: http::HeaderMap,
    /// The body, piece by piece.
    pub body: B,
}

/// A body that is read in the pieces in which it arrives.
#[expect(async_fn_in_trait, reason = "guests are single-threaded, no Send bound is wanted")]
pub trait Body {
    /// Returns the next piece, or `None` at the end. Borders between pieces mean nothing.
    async fn chunk(&mut self) -> Option<Result<Vec<u8>, HttpError>>;

    /// Reads to the end.
    ///
    /// # Errors
    /// [`HttpError::TooLarge`] when more than `limit` bytes arrive, or whatever broke the transfer.
    async fn bytes(&mut self, limit: usize) -> Result<Vec<u8>, HttpError> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.chunk().await {
            bytes.extend_from_slice(&chunk?);
            if bytes.len() > limit {
                return Err(HttpError::TooLarge { limit });
            }
        }
        Ok(bytes)
    }
}

/// Sends requests.
#[expect(async_fn_in_trait, reason = "guests are single-threaded, no Send bound is wanted")]
pub trait Http {
    /// The body of a reply.
    type Body: Body;

    /// Sends one request and returns as soon as the reply's head is there; it is never retried.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse<Self::Body>, HttpError>;
}

/// Why there is no reply, or no more of it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The platform does not allow this destination.
    #[error("destination not allowed: {authority}; add it to allowed_outbound_hosts")]
    Denied {
        /// Host and port.
        authority: String,
    },
    /// The transfer broke: no connection, TLS failure, reset.
    #[error("transfer failed: {reason}")]
    Failed {
        /// What the platform said.
        reason: String,
    },
    /// The caller's time for a phase, or for the whole, is over.
    #[error("no {phase} within {} ms", .limit.as_millis())]
    TimedOut {
        /// What was waited for.
        phase: Phase,
        /// The caller's limit.
        limit: Duration,
    },
    /// The body is longer than the caller accepts.
    #[error("reply too large: more than {limit} bytes")]
    TooLarge {
        /// The caller's limit in bytes.
        limit: usize,
    },
}
