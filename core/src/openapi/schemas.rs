//! Schemas of the wire types, with the limits that validation holds them to.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::{
    chat::{EFFORTS, MAX_CHARS, MAX_NAME, MAX_TEMPERATURE, MAX_TOKENS, MIN_CHARS, completions},
    feedback::{MAX_COMMENT_CHARS, MAX_MESSAGE_ID_CHARS},
    retrieval::MAX_TOP_K,
    wire::{
        ChatRequest, ChatResponse, CompletionChunk, CompletionError, CompletionReply,
        CompletionRequest, Detailed, FeedbackPage, FeedbackReceipt, FeedbackRequest, Health,
        LlmHealth, ModelList, Problem, RpcError, RpcResult, SearchRequest, SearchResponse,
        StreamError, StreamFallback, StreamMetadata, StreamResult, StreamSources,
    },
};

/// Ids of conversations, as `session::is_id` has it.
const SESSION_ID: &str = "^[A-Za-z0-9_-]{1,64}$";

/// Every schema that a route names, and those that they refer to.
pub(super) fn components() -> Map<String, Value> {
    let settings = |settings: SchemaSettings| {
        let mut settings = settings;
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
        SchemaGenerator::new(settings)
    };
    let mut received = settings(SchemaSettings::draft2020_12().for_deserialize());
    received.subschema_for::<ChatRequest>();
    received.subschema_for::<SearchRequest>();
    received.subschema_for::<CompletionRequest>();
    received.subschema_for::<FeedbackRequest>();
    let mut sent = settings(SchemaSettings::draft2020_12().for_serialize());
    sent.subschema_for::<ChatResponse>();
    sent.subschema_for::<StreamMetadata>();
    sent.subschema_for::<StreamFallback>();
    sent.subschema_for::<StreamSources<'_>>();
    sent.subschema_for::<StreamResult>();
    sent.subschema_for::<StreamError>();
    sent.subschema_for::<SearchResponse>();
    sent.subschema_for::<CompletionReply>();
    sent.subschema_for::<CompletionChunk>();
    sent.subschema_for::<CompletionError>();
    sent.subschema_for::<ModelList>();
    sent.subschema_for::<FeedbackReceipt>();
    sent.subschema_for::<FeedbackPage>();
    sent.subschema_for::<RpcResult>();
    sent.subschema_for::<RpcError>();
    sent.subschema_for::<Health>();
    sent.subschema_for::<Detailed>();
    sent.subschema_for::<LlmHealth>();
    sent.subschema_for::<Problem>();
    let mut schemas = received.take_definitions(true);
    schemas.extend(sent.take_definitions(true));
    for (schema, property, limits) in limits() {
        limit(&mut schemas, schema, property, limits);
    }
    schemas.values_mut().for_each(tidy);
    schemas
}

/// The schema of one type with everything it refers to inside it.
pub(super) fn inline<T: JsonSchema>(received: bool) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let settings = if received { settings.for_deserialize() } else { settings.for_serialize() };
    let mut schema = SchemaGenerator::new(settings).into_root_schema_for::<T>().to_value();
    tidy(&mut schema);
    schema
}

/// What validation asks of a question's text, for a schema.
pub(super) fn question() -> Value {
    json!({"minLength": MIN_CHARS, "maxLength": MAX_CHARS})
}

/// What validation asks of the number of passages, for a schema.
pub(super) fn top_k() -> Value {
    json!({"minimum": 1, "maximum": MAX_TOP_K})
}

/// What validation asks of a conversation's id, for a schema.
pub(super) fn session_id() -> Value {
    json!({"pattern": SESSION_ID})
}

/// Schema, property, and what validation asks beyond the type.
fn limits() -> Vec<(&'static str, &'static str, Value)> {
    let mut efforts = vec![Value::Null];
    efforts.extend(EFFORTS.iter().map(|effort| json!(effort)));
    let effort = json!({ "enum": efforts });
    let temperature = json!({"minimum": 0, "maximum": MAX_TEMPERATURE});
    let tokens = json!({"minimum": 1, "maximum": MAX_TOKENS});
    let name = json!({"minLength": 1, "maxLength": MAX_NAME});
    let values = json!({"additionalProperties": {"type": "string", "maxLength": MAX_NAME}});
    let constant = |value: &str| json!({ "const": value });
    let roles = json!({"enum": ["user", "assistant", "system", "developer", "tool", "function"]});
    vec![
        ("ChatRequest", "question", question()),
        ("ChatRequest", "session_id", session_id()),
        ("ChatRequest", "top_k", top_k()),
        ("ChatRequest", "filter", values.clone()),
        ("ChatRequest", "model", name.clone()),
        ("ChatRequest", "reasoning_effort", effort.clone()),
        ("ChatRequest", "temperature", temperature.clone()),
        ("ChatRequest", "max_tokens", tokens.clone()),
        ("ChatRequest", "doc_type", name.clone()),
        ("ChatRequest", "term_id", name.clone()),
        ("ChatRequest", "level", name),
        ("SearchRequest", "filter", values),
        ("CompletionRequest", "model", json!({"maxLength": MAX_NAME})),
        ("SearchRequest", "query", question()),
        ("SearchRequest", "top_k", top_k()),
        ("CompletionRequest", "messages", json!({"minItems": 1})),
        ("CompletionRequest", "temperature", temperature),
        ("CompletionRequest", "max_tokens", tokens.clone()),
        ("CompletionRequest", "max_completion_tokens", tokens),
        ("CompletionRequest", "reasoning_effort", effort),
        ("CompletionRequest", "n", json!({"minimum": 1, "maximum": 1})),
        ("CompletionRequest", "user", json!({"maxLength": completions::MAX_USER_CHARS})),
        ("CompletionMessage", "role", roles),
        ("FeedbackRequest", "session_id", session_id()),
        (
            "FeedbackRequest",
            "message_id",
            json!({"minLength": 1, "maxLength": MAX_MESSAGE_ID_CHARS}),
        ),
        ("FeedbackRequest", "comment", json!({"maxLength": MAX_COMMENT_CHARS})),
        ("FeedbackReceipt", "status", constant("received")),
        ("ChatResponse", "confidence", json!({"minimum": 0, "maximum": 1})),
        ("RewriteMetadata", "confidence", json!({"minimum": 0, "maximum": 1})),
        ("ChatSource", "citation_index", json!({"minimum": 1})),
        ("SearchHit", "rank", json!({"minimum": 1})),
        ("CompletionReply", "object", constant("chat.completion")),
        ("CompletionChunk", "object", constant("chat.completion.chunk")),
        ("CompletionChoice", "finish_reason", json!({"enum": ["stop", "length"]})),
        ("ChunkChoice", "finish_reason", json!({"enum": [null, "stop", "length"]})),
        ("CompletionAnswer", "role", constant("assistant")),
        ("ModelList", "object", constant("list")),
        ("ModelEntry", "object", constant("model")),
        ("RpcResult", "jsonrpc", constant("2.0")),
        ("RpcError", "jsonrpc", constant("2.0")),
        ("RpcResult", "id", json!({"type": ["string", "integer"]})),
        ("RpcError", "id", json!({"type": ["string", "integer", "null"]})),
        ("Problem", "status", json!({"minimum": 400, "maximum": 599})),
        ("Health", "status", json!({"enum": ["healthy", "alive", "ready", "not_ready"]})),
        ("Detailed", "status", json!({"enum": ["healthy", "degraded", "unhealthy"]})),
        ("LlmHealth", "status", json!({"enum": ["available", "busy", "error", "not_configured"]})),
    ]
}

/// Adds `limits` to a property.
///
/// # Panics
/// The type has no such property: the table above speaks of a field that was renamed.
#[expect(clippy::panic, reason = "run by developers alone, to be told of a table out of date")]
fn limit(schemas: &mut Map<String, Value>, schema: &str, property: &str, limits: Value) {
    let found = schemas
        .get_mut(schema)
        .and_then(|found| found.pointer_mut(&format!("/properties/{property}")));
    merge(found.unwrap_or_else(|| panic!("{schema} has no property {property}")), limits);
}

/// Adds members to a schema.
pub(super) fn merge(schema: &mut Value, members: Value) {
    if schema.as_bool() == Some(true) {
        *schema = json!({});
    }
    let (Value::Object(schema), Value::Object(members)) = (schema, members) else { return };
    schema.extend(members);
}

/// Takes out what readers of a schema have no use for: links of rustdoc, ends of lines within a
/// paragraph, names of types, formats that only Rust knows, defaults that say "absent".
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.remove("format");
            members.remove("title");
            if members.get("default").is_some_and(Value::is_null) {
                members.remove("default");
            }
            if let Some(Value::String(description)) = members.get_mut("description") {
                let text = description.replace("[`", "`").replace("`]", "`");
                *description = text.replace("\n\n", "\0").replace('\n', " ").replace('\0', "\n\n");
            }
            for (name, member) in members {
                match (name.as_str(), member) {
                    // Its members are named by the type, not by JSON Schema.
                    ("properties", Value::Object(properties)) => {
                        properties.values_mut().for_each(tidy);
                    }
                    (_, member) => tidy(member),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(tidy),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session;

    #[test]
    fn a_conversation_has_the_ids_that_validation_takes() {
        assert!(session::is_id(&"x".repeat(64)) && !session::is_id(&"x".repeat(65)));
        assert!(session::is_id("aZ09_-") && !session::is_id("") && !session::is_id("a.b"));
    }

    #[test]
    fn requests_need_what_has_no_default_and_replies_have_all() {
        let schemas = components();
        let required = |name: &str| schemas[name]["required"].clone();
        assert_eq!(required("ChatRequest"), json!(["question"]));
        let reply = required("ChatResponse");
        for member in ["answer", "sources", "grounded", "confidence", "session_id", "degraded"] {
            assert!(reply.as_array().unwrap().contains(&json!(member)), "{member}");
        }
        let source = required("ChatSource");
        assert!(!source.as_array().unwrap().contains(&json!("page")), "{source}");
        assert!(schemas["ChatSource"]["properties"]["title"].is_object());
        assert_eq!(schemas["ChatRequest"]["properties"]["question"]["maxLength"], MAX_CHARS);
    }
}
