//! The tools: `ask` and `search_documents`.

use std::fmt::Write as _;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::message::{Fault, INVALID_PARAMS};
use crate::{
    RequestError,
    wire::{
        AskArguments, ChatRequest, ChatResponse, SearchArguments, SearchRequest, SearchResponse,
        ToolReply, ToolText, read_json,
    },
};

/// The tool that answers a question.
pub const ASK: &str = "ask";
/// The tool that finds passages.
pub const SEARCH: &str = "search_documents";

/// Definitions of both, made of the wire types by the example `openapi`.
const DEFINITIONS: &str = include_str!("tools.json");

/// Does what the tools promise.
#[expect(async_fn_in_trait, reason = "guests are single-threaded, no Send bound is wanted")]
pub trait Tools {
    /// Answers a question, as `/chat` does.
    async fn ask(&self, request: ChatRequest) -> Result<ChatResponse, RequestError>;

    /// Finds passages, as `/search` does.
    async fn search(&self, request: SearchRequest) -> Result<SearchResponse, RequestError>;
}

/// The tools as they are listed.
pub(super) fn list() -> Value {
    serde_json::from_str(DEFINITIONS).unwrap_or_default()
}

/// Calls the tool that `params` names.
///
/// A tool that does not exist is a fault of the message. Arguments that a tool does not take, and
/// whatever keeps it from answering, are told in its reply: a model reads that and can do better.
pub(super) async fn call(params: Map<String, Value>, tools: &impl Tools) -> Result<Value, Fault> {
    let bad = |message: String| Fault::new(INVALID_PARAMS, message);
    let name = params.get("name").and_then(Value::as_str);
    let name = name.ok_or_else(|| bad("params.name must be a string".to_owned()))?;
    let arguments = match params.get("arguments") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(arguments)) => arguments.clone(),
        Some(_) => return Err(bad("params.arguments must be an object".to_owned())),
    };
    let reply = match name {
        ASK => ask(arguments, tools).await,
        SEARCH => search(arguments, tools).await,
        other => {
            let other: String = other.chars().take(64).collect();
            return Err(bad(format!("unknown tool: {other:?}; there are {ASK} and {SEARCH}")));
        }
    };
    let reply = reply.unwrap_or_else(|error| ToolReply {
        content: vec![text(error.to_string())],
        structured_content: None,
        is_error: true,
    });
    Ok(serde_json::to_value(reply).unwrap_or_default())
}

async fn ask(arguments: Map<String, Value>, tools: &impl Tools) -> Result<ToolReply, RequestError> {
    let AskArguments { question, session_id, top_k } = parse(arguments)?;
    let request = ChatRequest { question, session_id, top_k, ..ChatRequest::default() };
    let response = tools.ask(request).await?;
    let mut said = response.answer.clone();
    for source in &response.sources {
        let separator = if source.citation_index == 1 { "\n\nSources:\n" } else { "\n" };
        let place = place(&source.title, &source.heading, source.page);
        let _ = write!(
            said,
            "{separator}[{}] {place} ({}): {}",
            source.citation_index, source.source, source.text
        );
    }
    Ok(reply(said, &response))
}

async fn search(
    arguments: Map<String, Value>,
    tools: &impl Tools,
) -> Result<ToolReply, RequestError> {
    let SearchArguments { query, top_k, filter } = parse(arguments)?;
    let request = SearchRequest { query, top_k, filter };
    let response = tools.search(request).await?;
    let passages = response.hits.iter().map(|hit| {
        let place = place(&hit.source, &hit.heading, hit.page);
        format!("{}. {place}: {}", hit.rank, hit.text)
    });
    let passages: Vec<String> = passages.collect();
    let said = match passages.is_empty() {
        true => "No passage fits.".to_owned(),
        false => passages.join("\n\n"),
    };
    Ok(reply(said, &response))
}

fn parse<T: DeserializeOwned>(arguments: Map<String, Value>) -> Result<T, RequestError> {
    read_json(&serde_json::to_vec(&arguments).unwrap_or_default())
}

/// Where a passage stands: `Title › Heading, page 3`.
fn place(title: &str, heading: &[String], page: Option<u32>) -> String {
    let mut place = title.to_owned();
    for part in heading {
        let _ = write!(place, " › {part}");
    }
    if let Some(page) = page {
        let _ = write!(place, ", page {page}");
    }
    place
}

fn reply(said: String, structured: &impl Serialize) -> ToolReply {
    let structured_content = serde_json::to_value(structured).ok();
    ToolReply { content: vec![text(said)], structured_content, is_error: false }
}

fn text(text: String) -> ToolText {
    ToolText { kind: "text", text }
}
