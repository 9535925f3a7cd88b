//! `/mcp`: what the Model Context Protocol sends, as JSON-RPC 2.0.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Arguments of the tool `ask`. Unknown ones are ignored.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct AskArguments {
    /// The question, in plain words.
    pub question: String,
    /// The `session_id` of an earlier answer, to ask a follow-up.
    #[serde(default)]
    pub session_id: Option<String>,
    /// Passages to answer from; 5 if absent.
    #[serde(default)]
    pub top_k: Option<i64>,
}

/// Arguments of the tool `search_documents`. Unknown ones are ignored.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SearchArguments {
    /// What to look for.
    pub query: String,
    /// Passages wanted; 5 if absent.
    #[serde(default)]
    pub top_k: Option<i64>,
    /// Metadata that passages must carry, such as `doc_type: resume`.
    #[serde(default)]
    pub filter: BTreeMap<String, String>,
}

/// A successful answer.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct RpcResult {
    /// `2.0`.
    pub jsonrpc: &'static str,
    /// The request's id: a string or an integer.
    pub id: Value,
    /// What the method returns.
    pub result: Value,
}

/// An answer that says what is wrong.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct RpcError {
    /// `2.0`.
    pub jsonrpc: &'static str,
    /// The request's id; `null` where it could not be read.
    pub id: Value,
    /// What is wrong.
    pub error: RpcFault,
}

/// What is wrong with a request.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct RpcFault {
    /// The code, as JSON-RPC and the protocol define it.
    pub code: i32,
    /// What was expected and what was got.
    pub message: String,
    /// More of it, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// What a tool says.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolReply {
    /// For a model to read.
    pub content: Vec<ToolText>,
    /// The same for a program, in the tool's output schema; absent where the tool failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub structured_content: Option<Value>,
    /// Whether the tool failed; the text then says why and what to do.
    pub is_error: bool,
}

/// A text that a tool says.
#[derive(Clone, Debug, Serialize)]
pub struct ToolText {
    /// `text`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The text.
    pub text: String,
}
