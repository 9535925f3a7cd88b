//! Chat completions as they are asked of a provider, in OpenAI's shape.
//!
//! Replies are read leniently: unknown fields are ignored and every field may be absent, because
//! each server leaves out another. What Dossier serves itself in that shape is not here.

use serde::{Deserialize, Serialize};

/// What is asked for.
#[derive(Clone, Debug, Serialize)]
pub struct ProviderRequest<'a> {
    /// The model's id.
    pub model: &'a str,
    /// The conversation.
    pub messages: Vec<ProviderMessage<'a>>,
    /// Randomness, 0 to 2.
    pub temperature: f32,
    /// Longest reply in tokens, reasoning included. The older name, which every server takes.
    pub max_tokens: u32,
    /// How much the model may think; absent for models that take no such field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_effort: Option<&'static str>,
    /// Whether the reply comes in pieces.
    pub stream: bool,
    /// What the stream brings besides pieces.
    pub stream_options: ProviderStreamOptions,
}

/// A part of the conversation.
#[derive(Clone, Debug, Serialize)]
pub struct ProviderMessage<'a> {
    /// `system`, `user` or `assistant`.
    pub role: &'static str,
    /// The text.
    pub content: &'a str,
}

/// Options of a stream.
#[derive(Clone, Debug, Serialize)]
pub struct ProviderStreamOptions {
    /// Whether the last piece counts the tokens.
    pub include_usage: bool,
}

/// A whole reply, or one piece of a stream.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ProviderReply {
    /// What the model said; one choice, or none in the piece that counts tokens.
    #[serde(default)]
    pub choices: Option<Vec<ProviderChoice>>,
    /// The count of tokens.
    #[serde(default)]
    pub usage: Option<ProviderUsage>,
    /// Where Groq counts tokens in a stream, and says why one was stopped.
    #[serde(default)]
    pub x_groq: Option<ProviderGroq>,
    /// What went wrong after the head was sent. Its shape differs between servers.
    #[serde(default)]
    pub error: Option<serde_json::Value>,
}

/// What the model said, whole or in part.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ProviderChoice {
    /// A part, in a stream.
    #[serde(default)]
    pub delta: Option<ProviderText>,
    /// The whole, in a reply that is no stream.
    #[serde(default)]
    pub message: Option<ProviderText>,
    /// Why the model ended, in the last piece.
    #[serde(default)]
    pub finish_reason: Option<String>,
}

/// Text of the model.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ProviderText {
    /// The answer.
    #[serde(default)]
    pub content: Option<String>,
    /// The thinking, as Groq and Ollama call it.
    #[serde(default)]
    pub reasoning: Option<String>,
    /// The thinking, as vLLM and DeepInfra call it. A server that sends both sends it twice.
    #[serde(default)]
    pub reasoning_content: Option<String>,
}

/// Groq's own member.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ProviderGroq {
    /// The count of tokens, in the last piece.
    #[serde(default)]
    pub usage: Option<ProviderUsage>,
    /// Why the stream was stopped before its end.
    #[serde(default)]
    pub error: Option<serde_json::Value>,
}

/// Tokens as the provider counts them.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ProviderUsage {
    /// Of the conversation.
    #[serde(default)]
    pub prompt_tokens: u64,
    /// Of the reply, thinking included.
    #[serde(default)]
    pub completion_tokens: u64,
    /// Details of the first.
    #[serde(default)]
    pub prompt_tokens_details: Option<ProviderPromptDetails>,
}

/// Details of the tokens of the conversation.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ProviderPromptDetails {
    /// Tokens that the provider had in its cache.
    #[serde(default)]
    pub cached_tokens: Option<u64>,
}
