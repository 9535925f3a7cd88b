//! JSON-RPC 2.0: a message in, a reply out.

use serde_json::{Map, Value};

use crate::wire::{RpcError, RpcFault, RpcResult};

/// The body is no JSON.
pub(super) const PARSE_ERROR: i32 = -32_700;
/// The JSON is no message.
pub(super) const INVALID_REQUEST: i32 = -32_600;
/// The method does not exist.
pub(super) const METHOD_NOT_FOUND: i32 = -32_601;
/// The parameters do not fit the method.
pub(super) const INVALID_PARAMS: i32 = -32_602;

/// What the head of a request says of the message in its body.
#[derive(Clone, Copy, Debug, Default)]
pub struct Head<'a> {
    /// `MCP-Protocol-Version`.
    pub revision: Option<&'a str>,
    /// `Mcp-Method`.
    pub method: Option<&'a str>,
    /// `Mcp-Name`.
    pub name: Option<&'a str>,
}

/// What goes back: `application/json`, or nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    /// The HTTP status: 200, 202 without a body, 400 or 404.
    pub status: u16,
    /// The body; `None` where the messages want no answer.
    pub body: Option<String>,
}

impl Reply {
    /// The reply where the messages want no answer.
    pub(super) const ACCEPTED: Self = Self { status: 202, body: None };

    pub(super) fn json(status: u16, payload: &impl serde::Serialize) -> Self {
        // Serialising our own wire types cannot fail.
        Self { status, body: serde_json::to_string(payload).ok() }
    }
}

/// A message, well formed.
#[derive(Debug)]
pub(super) enum Message {
    /// Wants an answer.
    Request { id: Value, method: String, params: Map<String, Value> },
    /// Wants none: a notification, or a client's answer to what we never asked.
    OneWay,
}

impl Message {
    /// Reads a message.
    pub(super) fn read(value: Value) -> Result<Self, Fault> {
        let bad = |message: &str| Fault::new(INVALID_REQUEST, message);
        let Value::Object(mut members) = value else {
            return Err(bad("a message must be an object"));
        };
        if members.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return Err(bad("jsonrpc must be \"2.0\""));
        }
        let id = members.remove("id");
        if id.as_ref().is_some_and(|id| !(id.is_string() || id.is_i64() || id.is_u64())) {
            return Err(bad("id must be a string or an integer"));
        }
        let method = match members.remove("method") {
            Some(Value::String(method)) => method,
            None if members.contains_key("result") || members.contains_key("error") => {
                return Ok(Self::OneWay);
            }
            _ => return Err(bad("method must be a string").with_id(id)),
        };
        let params = match members.remove("params") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(params)) => params,
            Some(_) => return Err(bad("params must be an object").with_id(id)),
        };
        Ok(id.map_or(Self::OneWay, |id| Self::Request { id, method, params }))
    }
}

/// Why a message cannot be answered with a result.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Fault {
    id: Value,
    fault: RpcFault,
}

impl Fault {
    pub(super) fn new(code: i32, message: impl Into<String>) -> Self {
        let fault = RpcFault { code, message: message.into(), data: None };
        Self { id: Value::Null, fault }
    }

    pub(super) fn with_data(mut self, data: Value) -> Self {
        self.fault.data = Some(data);
        self
    }

    pub(super) fn with_id(self, id: Option<Value>) -> Self {
        Self { id: id.unwrap_or_default(), ..self }
    }

    pub(super) fn code(&self) -> i32 {
        self.fault.code
    }
}

/// The answer to one request.
pub(super) fn answer(id: Value, outcome: Result<Value, Fault>) -> Value {
    let answer = match outcome {
        Ok(result) => serde_json::to_value(RpcResult { jsonrpc: "2.0", id, result }),
        Err(fault) => return error(fault.with_id(Some(id))),
    };
    answer.unwrap_or_default()
}

/// The answer to a message that cannot be answered otherwise.
pub(super) fn error(fault: Fault) -> Value {
    let Fault { id, fault } = fault;
    serde_json::to_value(RpcError { jsonrpc: "2.0", id, error: fault }).unwrap_or_default()
}
