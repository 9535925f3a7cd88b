//! An HTTP client that answers from a script.

use std::{cell::RefCell, collections::VecDeque};

use crate::ports::{Body, Http, HttpError, HttpRequest, HttpResponse};

/// One scripted reply.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Status code.
    pub status: http::StatusCode,
    /// Header fields.
    pub headers: http::HeaderMap,
    /// The body's pieces, each of which may be a fault.
    pub chunks: Vec<Result<Vec<u8>, HttpError>>,
}

/// Gives scripted replies in order and keeps the requests it was sent.
#[derive(Debug, Default)]
pub struct ScriptedHttp {
    replies: RefCell<VecDeque<Result<Reply, HttpError>>>,
    requests: RefCell<Vec<HttpRequest>>,
}

impl ScriptedHttp {
    /// Creates a client that gives `replies` in order, then fails.
    pub fn new(replies: impl IntoIterator<Item = Result<Reply, HttpError>>) -> Self {
        Self { replies: RefCell::new(replies.into_iter().collect()), ..Self::default() }
    }

    /// Returns the requests sent so far.
    pub fn requests(&self) -> Vec<HttpRequest> {
        self.requests.borrow().clone()
    }
}

/// The pieces of a scripted reply that are still to come.
#[derive(Debug)]
pub struct ScriptedBody(VecDeque<Result<Vec<u8>, HttpError>>);

impl Body for ScriptedBody {
    async fn chunk(&mut self) -> Option<Result<Vec<u8>, HttpError>> {
        self.0.pop_front()
    }
}

impl Http for ScriptedHttp {
    type Body = ScriptedBody;

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse<ScriptedBody>, HttpError> {
        self.requests.borrow_mut().push(request);
        let reply = self.replies.borrow_mut().pop_front().unwrap_or_else(|| {
            Err(HttpError::Failed { reason: "the script has no reply left".to_owned() })
        })?;
        Ok(HttpResponse {
            status: reply.status,
            headers: reply.headers,
            body: ScriptedBody(reply.chunks.into()),
        })
    }
}
