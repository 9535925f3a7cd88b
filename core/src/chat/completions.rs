//! OpenAI's chat completions as turns of our conversation, and our answers as completions.
//!
//! The caller sends the whole conversation every time, so nothing is kept for it. Its `system` and
//! `developer` messages are not obeyed: whoever embeds the chat in a page must not be able to turn
//! it into another assistant. Neither are tools called, so their messages are passed over too.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use sha2::{Digest as _, Sha256};

use crate::{
    RequestError,
    llm::{OWN, UnknownModel},
    wire::{
        ChatRequest, ChatResponse, ChatSource, ChunkChoice, ChunkDelta, CompletionAnswer,
        CompletionChoice, CompletionChunk, CompletionError, CompletionFault, CompletionMessage,
        CompletionReply, CompletionRequest, CompletionUsage, FieldError, MessageContent,
        ModelEntry, ModelList, TurnRecord,
    },
};

/// The model that stands for whichever is configured.
pub const MODEL: &str = OWN;
/// Most turns before the question that are looked at: what limits may grant a conversation at most.
const MAX_TURNS: usize = 20;
/// Longest `user`, in characters: an e-mail address or two ids fit, and it is only hashed.
pub const MAX_USER_CHARS: usize = 256;
/// Ends a stream.
const DONE: &str = "data: [DONE]\n\n";

/// A conversation that a client of OpenAI's API sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conversation {
    /// The question to answer, as it was written; still to be validated.
    pub question: String,
    /// What was said before, oldest first, at most 20 turns.
    pub earlier: Vec<TurnRecord>,
    /// The model asked for, if it is a certain one.
    pub model: Option<String>,
    /// As in [`CompletionRequest`].
    pub temperature: Option<f32>,
    /// Longest answer, in tokens.
    pub max_tokens: Option<u32>,
    /// As in [`CompletionRequest`].
    pub reasoning_effort: Option<String>,
    /// A session id that stands for the request's `user`, for the limits on questions. It differs
    /// from any id that a visitor's conversation has, and cannot be turned back.
    pub caller: Option<String>,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// Whether a stream tells the tokens used.
    pub include_usage: bool,
}

impl Conversation {
    /// Reads a request.
    ///
    /// Messages of one speaker in a row are one text. The answer of the assistant that no question
    /// precedes is left out.
    ///
    /// # Errors
    /// [`RequestError::Invalid`] with every field at fault: a role that does not exist, a part that
    /// is no text, a conversation that does not end with a question, more than one answer wanted.
    pub fn read(request: CompletionRequest) -> Result<Self, RequestError> {
        let mut faults = Vec::new();
        let mut said: Vec<(Speaker, String)> = Vec::new();
        for (at, message) in request.messages.into_iter().enumerate() {
            match spoken(at, message) {
                Ok(None) => {}
                Ok(Some((speaker, text))) => match said.last_mut() {
                    Some((last, before)) if *last == speaker => {
                        before.push('\n');
                        before.push_str(&text);
                    }
                    _ => said.push((speaker, text)),
                },
                Err(fault) => faults.push(fault),
            }
        }
        if let Some(n) = request.n.filter(|n| *n != 1) {
            faults.push(fault("n", format!("n must be 1, got {n}")));
        }
        if request.user.as_ref().is_some_and(|user| user.chars().count() > MAX_USER_CHARS) {
            let message = format!("user must have at most {MAX_USER_CHARS} characters");
            faults.push(fault("user", message));
        }
        let question = match said.pop() {
            Some((Speaker::Visitor, question)) => question,
            _ if faults.is_empty() => {
                let message = "messages must end with one of the role user";
                faults.push(fault("messages", message.to_owned()));
                String::new()
            }
            _ => String::new(),
        };
        if !faults.is_empty() {
            return Err(RequestError::Invalid { fields: faults });
        }
        Ok(Self {
            question,
            earlier: turns(said),
            model: request.model.filter(|model| !model.is_empty() && model != MODEL),
            temperature: request.temperature,
            max_tokens: request.max_completion_tokens.or(request.max_tokens),
            reasoning_effort: request.reasoning_effort,
            caller: request.user.filter(|user| !user.is_empty()).map(|user| caller(&user)),
            stream: request.stream.unwrap_or(false),
            include_usage: request
                .stream_options
                .and_then(|options| options.include_usage)
                .unwrap_or(false),
        })
    }

    /// The question as `/chat` takes it.
    pub fn request(&self) -> ChatRequest {
        ChatRequest {
            question: self.question.clone(),
            model: self.model.clone(),
            reasoning_effort: self.reasoning_effort.clone(),
            temperature: self.temperature,
            max_tokens: self.max_tokens,
            ..ChatRequest::default()
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Speaker {
    Visitor,
    Assistant,
}

/// Who said what, or `None` for a message that is passed over.
fn spoken(at: usize, message: CompletionMessage) -> Result<Option<(Speaker, String)>, FieldError> {
    let speaker = match message.role.as_str() {
        "user" => Speaker::Visitor,
        "assistant" => Speaker::Assistant,
        "system" | "developer" | "tool" | "function" => return Ok(None),
        other => {
            let message = format!(
                "messages[{at}].role must be user, assistant, system, developer, tool or function, \
                 got {:?}",
                short(other)
            );
            return Err(fault(&format!("messages[{at}].role"), message));
        }
    };
    let text = match message.content {
        None => String::new(),
        Some(MessageContent::Text(text)) => text,
        Some(MessageContent::Parts(parts)) => {
            let mut texts = Vec::with_capacity(parts.len());
            for part in parts {
                match (part.kind.as_str(), part.text) {
                    ("text", Some(text)) => texts.push(text),
                    (kind, _) => {
                        let message = format!(
                            "messages[{at}].content must be text alone, got a part of the type {:?}",
                            short(kind)
                        );
                        return Err(fault(&format!("messages[{at}].content"), message));
                    }
                }
            }
            texts.join("\n")
        }
    };
    Ok(Some((speaker, text)))
}

/// Pairs questions with the answers that follow them; the last [`MAX_TURNS`].
fn turns(said: Vec<(Speaker, String)>) -> Vec<TurnRecord> {
    let mut turns = Vec::new();
    let mut question = None;
    for (speaker, text) in said {
        match speaker {
            Speaker::Visitor => question = Some(text),
            Speaker::Assistant => {
                turns.extend(question.take().map(|question| TurnRecord {
                    question,
                    answer: text,
                    about: None,
                }));
            }
        }
    }
    turns.split_off(turns.len().saturating_sub(MAX_TURNS))
}

fn caller(user: &str) -> String {
    let hash = Sha256::digest(user.as_bytes());
    let hash: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("user-{hash}")
}

fn fault(field: &str, message: String) -> FieldError {
    FieldError { field: field.to_owned(), message }
}

/// A value as far as it is worth repeating.
fn short(text: &str) -> String {
    text.chars().take(32).collect()
}

/// What every part of one completion carries.
#[derive(Clone, Debug, Default)]
pub struct Completion {
    id: String,
    created: u64,
    model: String,
}

impl Completion {
    /// The completion of the request `request_id`, answered at `now` by `model`.
    pub fn new(request_id: &str, now: Duration, model: &str) -> Self {
        let id = format!("chatcmpl-{request_id}");
        Self { id, created: now.as_secs(), model: model.to_owned() }
    }

    /// The whole answer; `cut` where it met its limit of tokens.
    pub fn reply(
        &self,
        response: &ChatResponse,
        usage: CompletionUsage,
        cut: bool,
    ) -> CompletionReply {
        let message = CompletionAnswer {
            role: "assistant",
            content: response.answer.clone(),
            refusal: (),
            citations: response.sources.clone(),
        };
        CompletionReply {
            id: self.id.clone(),
            object: "chat.completion",
            created: self.created,
            model: self.model.clone(),
            choices: vec![CompletionChoice {
                index: 0,
                message,
                finish_reason: reason(cut),
                logprobs: (),
            }],
            usage,
        }
    }

    /// The event that opens a stream.
    pub fn open(&self) -> String {
        let role = Some("assistant");
        let content = Some(String::new());
        self.piece(ChunkDelta { role, content, ..ChunkDelta::default() }, None)
    }

    /// An event with a piece of the answer.
    pub fn text(&self, text: &str) -> String {
        self.piece(ChunkDelta { content: Some(text.to_owned()), ..ChunkDelta::default() }, None)
    }

    /// An event with a piece of the reasoning.
    pub fn thinking(&self, text: &str) -> String {
        let reasoning_content = Some(text.to_owned());
        self.piece(ChunkDelta { reasoning_content, ..ChunkDelta::default() }, None)
    }

    /// The events that end a stream: the citations, the usage where it was asked for, `[DONE]`.
    pub fn close(
        &self,
        sources: &[ChatSource],
        usage: Option<CompletionUsage>,
        cut: bool,
    ) -> String {
        let citations = Some(sources.to_vec());
        let delta = ChunkDelta { citations, ..ChunkDelta::default() };
        let mut events = self.piece(delta, Some(reason(cut)));
        if usage.is_some() {
            events.push_str(&event(&CompletionChunk { usage, ..self.chunk(Vec::new()) }));
        }
        events.push_str(DONE);
        events
    }

    fn piece(&self, delta: ChunkDelta, finish_reason: Option<&'static str>) -> String {
        event(&self.chunk(vec![ChunkChoice { index: 0, delta, finish_reason }]))
    }

    fn chunk(&self, choices: Vec<ChunkChoice>) -> CompletionChunk {
        CompletionChunk {
            id: self.id.clone(),
            object: "chat.completion.chunk",
            created: self.created,
            model: self.model.clone(),
            choices,
            usage: None,
        }
    }
}

impl CompletionUsage {
    /// Usage of `prompt` tokens read and `completion` tokens written.
    pub fn new(prompt: u32, completion: u32) -> Self {
        Self {
            prompt_tokens: prompt,
            completion_tokens: completion,
            total_tokens: prompt.saturating_add(completion),
        }
    }
}

impl CompletionError {
    /// An error of the table in OpenAI's shape; the status stays the table's.
    pub fn new(error: &RequestError) -> Self {
        let (code, status, _) = error.row();
        // Clients know these two names; the others are ours.
        let code = match status {
            401 => "invalid_api_key",
            429 => "rate_limit_exceeded",
            _ => code,
        };
        let kind = match status {
            429 => "rate_limit_error",
            500.. => "server_error",
            _ => "invalid_request_error",
        };
        let param = error.fields().into_iter().next().map(|field| field.field);
        Self { error: CompletionFault { message: error.to_string(), kind, param, code } }
    }

    /// The event that ends a stream which breaks.
    pub fn event(&self) -> String {
        event(self)
    }
}

impl ModelList {
    /// [`MODEL`], and the models of the providers: pairs of id and provider.
    pub fn new<'a>(models: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let entry = |(id, owner): (&str, &str)| ModelEntry {
            id: id.to_owned(),
            object: "model",
            created: 0,
            owned_by: owner.to_owned(),
        };
        let own = std::iter::once((MODEL, MODEL));
        Self { object: "list", data: own.chain(models).map(entry).collect() }
    }

    /// Takes out the model that `name` stands for, a part of a path, percent-encoded or not.
    ///
    /// # Errors
    /// [`RequestError::ModelNotFound`] with the models there are.
    pub fn take(self, name: &str) -> Result<ModelEntry, RequestError> {
        let name = percent_decode_str(name).decode_utf8_lossy();
        let known = self.data.iter().map(|model| model.id.clone()).collect();
        let found = self.data.into_iter().find(|model| model.id.eq_ignore_ascii_case(&name));
        found.ok_or(RequestError::ModelNotFound { unknown: UnknownModel { known } })
    }
}

fn reason(cut: bool) -> &'static str {
    if cut { "length" } else { "stop" }
}

fn event(payload: &impl serde::Serialize) -> String {
    // Serialising our own wire types cannot fail; an empty payload would still be an event.
    format!("data: {}\n\n", serde_json::to_string(payload).unwrap_or_default())
}

#[cfg(test)]
mod tests;
