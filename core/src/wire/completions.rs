//! `/v1/chat/completions` and `/v1/models`: the shapes of OpenAI's API, as we serve them.
//!
//! A client that was written for OpenAI gets what it expects; beside that the message, and the last
//! chunk of a stream, carry the passages cited, as `citations`.

use serde::{Deserialize, Serialize};

use super::ChatSource;

/// A conversation whose last question is to be answered. Unknown fields are ignored.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct CompletionRequest {
    /// A model of `/v1/models`; `dossier`, whichever is configured, if absent.
    #[serde(default)]
    pub model: Option<String>,
    /// The conversation, oldest first, ending with the visitor's question. Messages of the roles
    /// `system` and `developer` are accepted and not obeyed: what the answers keep to is set by the
    /// owner of the documents.
    pub messages: Vec<CompletionMessage>,
    /// Whether the answer is sent as it is written, as chunks; `false` if absent.
    #[serde(default)]
    pub stream: Option<bool>,
    /// What a stream carries beside the answer.
    #[serde(default)]
    pub stream_options: Option<StreamOptions>,
    /// How freely the model words the answer, 0 to 2.
    #[serde(default)]
    pub temperature: Option<f32>,
    /// Longest answer in tokens, 1 to 4 096; `max_completion_tokens` wins.
    #[serde(default)]
    pub max_tokens: Option<u32>,
    /// Longest answer in tokens, 1 to 4 096.
    #[serde(default)]
    pub max_completion_tokens: Option<u32>,
    /// How long the model reasons first: `none`, `low`, `medium` or `high`.
    #[serde(default)]
    pub reasoning_effort: Option<String>,
    /// Answers wanted; only 1 is possible.
    #[serde(default)]
    pub n: Option<u32>,
    /// Names the visitor to the limits on questions; stored as a hash and nowhere else.
    #[serde(default)]
    pub user: Option<String>,
}

/// One message of a conversation.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct CompletionMessage {
    /// `user` or `assistant`; `system`, `developer`, `tool` and `function` are passed over.
    pub role: String,
    /// What was said.
    #[serde(default)]
    pub content: Option<MessageContent>,
}

/// The content of a message.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "bad content, expected a string or an array of parts with a `type`")]
pub enum MessageContent {
    /// The text itself.
    Text(String),
    /// The text in parts.
    Parts(Vec<ContentPart>),
}

/// One part of a message.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ContentPart {
    /// Only `text` can be answered.
    #[serde(rename = "type")]
    pub kind: String,
    /// The text of a part of the type `text`.
    #[serde(default)]
    pub text: Option<String>,
}

/// What a stream carries beside the answer.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct StreamOptions {
    /// Whether one more chunk, without choices, tells the tokens used; `false` if absent.
    #[serde(default)]
    pub include_usage: Option<bool>,
}

/// A whole answer.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct CompletionReply {
    /// Names the answer: `chatcmpl-` and the request's id.
    pub id: String,
    /// `chat.completion`.
    pub object: &'static str,
    /// Seconds since the Unix epoch.
    pub created: u64,
    /// Who answered.
    pub model: String,
    /// The one answer.
    pub choices: Vec<CompletionChoice>,
    /// Tokens used.
    pub usage: CompletionUsage,
}

/// The answer within a reply.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct CompletionChoice {
    /// 0.
    pub index: u32,
    /// The answer.
    pub message: CompletionAnswer,
    /// `stop`, or `length` where the answer met its limit.
    pub finish_reason: &'static str,
    /// `null`: no probabilities are given.
    pub logprobs: (),
}

/// The assistant's message.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct CompletionAnswer {
    /// `assistant`.
    pub role: &'static str,
    /// The answer, with `[n]` naming `citations[n - 1]`.
    pub content: String,
    /// `null`: a refusal is an answer like any other, without citations.
    pub refusal: (),
    /// The passages cited.
    pub citations: Vec<ChatSource>,
}

/// Tokens used, estimated where the provider does not count them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct CompletionUsage {
    /// Tokens read.
    pub prompt_tokens: u32,
    /// Tokens written.
    pub completion_tokens: u32,
    /// Both.
    pub total_tokens: u32,
}

/// A piece of an answer, the payload of one `data:` line.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct CompletionChunk {
    /// As in [`CompletionReply`]; the same in every chunk.
    pub id: String,
    /// `chat.completion.chunk`.
    pub object: &'static str,
    /// Seconds since the Unix epoch; the same in every chunk.
    pub created: u64,
    /// Who answers.
    pub model: String,
    /// The piece; empty in the chunk that tells the usage.
    pub choices: Vec<ChunkChoice>,
    /// Tokens used, in the last chunk alone and only if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<CompletionUsage>,
}

/// The piece within a chunk.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ChunkChoice {
    /// 0.
    pub index: u32,
    /// What is added to the message.
    pub delta: ChunkDelta,
    /// As in [`CompletionChoice`]; `null` before the last piece.
    pub finish_reason: Option<&'static str>,
}

/// What a chunk adds to the message.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ChunkDelta {
    /// `assistant`, in the first chunk alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<&'static str>,
    /// Text to be appended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Reasoning to be appended, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<String>,
    /// The passages cited, in the chunk that ends the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub citations: Option<Vec<ChatSource>>,
}

/// An error on these routes, and the last `data:` line of a stream that breaks.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct CompletionError {
    /// The error.
    pub error: CompletionFault,
}

/// What went wrong.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct CompletionFault {
    /// What happened and what to do.
    pub message: String,
    /// `invalid_request_error`, `rate_limit_error` or `server_error`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The field at fault, if any.
    pub param: Option<String>,
    /// Stable name of the error.
    pub code: &'static str,
}

/// The models that can be named in a request.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ModelList {
    /// `list`.
    pub object: &'static str,
    /// The models.
    pub data: Vec<ModelEntry>,
}

/// One model.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ModelEntry {
    /// What a request names it by.
    pub id: String,
    /// `model`.
    pub object: &'static str,
    /// Seconds since the Unix epoch; 0 where it is not known.
    pub created: u64,
    /// `dossier`, or the provider that runs it.
    pub owned_by: String,
}
