//! The document: routes and schemas as OpenAPI 3.1.

use serde_json::{Map, Value, json};

use super::{
    routes::{Access, Answer, Content, Dialect, ROUTES, Route, TAGS},
    schemas,
};
use crate::mcp::MAX_BATCH;

const INTRODUCTION: &str = "Questions about one person, answered from that person's documents, with \
    a citation behind each statement.\n\n\
    Every route answers at the root and under `/api/v1`. Where API keys are configured, one of them \
    is sent as `X-API-Key` or as a bearer token. Requests from pages of other origins need their \
    origin to be allowed.\n\n\
    Every response carries `X-Request-Id`: the caller's, where it sent one of 1 to 128 letters, \
    digits, dots, dashes and underscores, else a new one. `traceparent` is carried on. Errors are \
    `application/problem+json` (RFC 9457), except on the routes below `/v1`, which have OpenAI's \
    shape, and on `/mcp`, which has JSON-RPC's. `HEAD` answers wherever `GET` does. Unknown members \
    of a body are ignored.";

/// The description of the API.
pub fn document() -> Value {
    let mut paths = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method] = operation(route);
    }
    let tags: Vec<Value> =
        TAGS.iter().map(|(name, text)| json!({"name": name, "description": text})).collect();
    let mut schemas = schemas::components();
    schemas.extend(by_hand());
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Dossier",
            "version": env!("CARGO_PKG_VERSION"),
            "description": INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {"url": "/"},
            {"url": "/api/v1", "description": "The same routes."},
        ],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": errors(),
            "headers": headers(),
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "bearer": {"type": "http", "scheme": "bearer"},
                "owner": {
                    "type": "http", "scheme": "bearer",
                    "description": "The administrator's key.",
                },
            },
        },
    })
}

fn operation(route: &Route) -> Value {
    let mut responses = Map::new();
    for answer in route.answers {
        responses.insert(answer.status.to_string(), response(answer));
    }
    for status in route.errors {
        let name = error_name(*status, route.dialect);
        let reference = json!({"$ref": format!("#/components/responses/{name}")});
        responses.insert(status.to_string(), reference);
    }
    let mut operation = json!({
        "tags": [route.tag],
        "operationId": route.id,
        "summary": route.summary,
        "description": route.description,
        "responses": responses,
        "security": match route.access {
            Access::Open => json!([]),
            Access::Key => json!([{}, {"key": []}, {"bearer": []}]),
            Access::Owner => json!([{"owner": []}]),
        },
    });
    if !route.parameters.is_empty() {
        let parameters = route.parameters.iter().map(|parameter| {
            let in_path = route.path.contains(&format!("{{{}}}", parameter.name));
            let mut described = json!({
                "name": parameter.name,
                "in": if in_path { "path" } else { "query" },
                "description": parameter.description,
                "schema": parsed(parameter.schema),
            });
            if in_path {
                described["required"] = json!(true);
            }
            described
        });
        operation["parameters"] = parameters.collect();
    }
    if let Some((schema, example)) = route.body {
        operation["requestBody"] = json!({
            "required": true,
            "content": {
                "application/json": {"schema": reference(schema), "example": parsed(example)},
            },
        });
    }
    operation
}

fn response(answer: &Answer) -> Value {
    let mut content = Map::new();
    for kind in answer.content {
        let (media, mut body) = match kind {
            Content::Json(schema) => ("application/json", json!({"schema": reference(schema)})),
            Content::Events(events) => {
                let events: Vec<Value> = events
                    .iter()
                    .map(|(name, data, text)| {
                        let mut event = json!({"description": text});
                        if !name.is_empty() {
                            event["event"] = json!(name);
                        }
                        match *data {
                            "" => {}
                            "string" => event["data"] = json!({"type": "string"}),
                            schema => event["data"] = reference(schema),
                        }
                        event
                    })
                    .collect();
                // As version 3.2 describes a stream: by the shape of one event.
                let event = json!({
                    "type": "object",
                    "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
                    "required": ["data"],
                });
                let body = json!({"schema": event, "x-events": events});
                ("text/event-stream", body)
            }
            Content::Text("application/json") => {
                ("application/json", json!({"schema": {"type": "object"}}))
            }
            Content::Text(media) => (*media, json!({"schema": {"type": "string"}})),
        };
        // Parameters such as the character set are told by the response, not asked for here.
        let media = media.split(';').next().unwrap_or(media);
        content.insert(media.to_owned(), body.take());
    }
    let mut response = json!({
        "description": answer.description,
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}},
    });
    if !content.is_empty() {
        response["content"] = Value::Object(content);
    }
    response
}

/// The errors, by status: name, what it means.
const ERRORS: [(u16, &str, &str); 9] = [
    (400, "BadJson", "The body is no JSON."),
    (401, "Unauthorized", "The key is missing or unknown."),
    (403, "Forbidden", "The page's origin is not allowed here, or the key does not open this."),
    (404, "NotFound", "There is nothing of this name."),
    (413, "TooLarge", "The body has more than 32 KiB."),
    (421, "Misdirected", "Without an API key the service answers to its own machine only."),
    (
        422,
        "Invalid",
        "A member is missing, of another type, or outside of its limits; `details` names each.",
    ),
    (429, "TooMany", "Too many questions; `Retry-After` says when the next one is welcome."),
    (503, "Unavailable", "A part that the route needs is not there now."),
];

fn error_name(status: u16, dialect: Dialect) -> String {
    let name = ERRORS.iter().find(|(listed, ..)| *listed == status).map_or("", |error| error.1);
    match dialect {
        Dialect::Problem => name.to_owned(),
        Dialect::Completion => format!("Completion{name}"),
    }
}

fn errors() -> Map<String, Value> {
    let mut responses = Map::new();
    for (status, _, description) in ERRORS {
        let mut headers = json!({"X-Request-Id": {"$ref": "#/components/headers/RequestId"}});
        let more: &[(&str, &str)] = match status {
            401 => &[("WWW-Authenticate", "Challenge")],
            429 => &[
                ("Retry-After", "RetryAfter"),
                ("RateLimit", "RateLimit"),
                ("RateLimit-Policy", "RateLimitPolicy"),
            ],
            503 => &[("Retry-After", "RetryAfter")],
            _ => &[],
        };
        for (header, name) in more {
            headers[*header] = json!({"$ref": format!("#/components/headers/{name}")});
        }
        for (dialect, media, schema) in [
            (Dialect::Problem, "application/problem+json", "Problem"),
            (Dialect::Completion, "application/json", "CompletionError"),
        ] {
            let mut content = Map::new();
            content.insert(media.to_owned(), json!({"schema": reference(schema)}));
            let response =
                json!({"description": description, "headers": headers, "content": content});
            responses.insert(error_name(status, dialect), response);
        }
    }
    responses
}

fn headers() -> Value {
    let text =
        |description: &str| json!({"description": description, "schema": {"type": "string"}});
    json!({
        "RequestId": {
            "description": "Names the request in the logs.",
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"},
        },
        "RetryAfter": {
            "description": "Seconds to wait.",
            "schema": {"type": "integer", "minimum": 0},
        },
        "RateLimit": text("What is left of the limit that was met, and when it starts anew."),
        "RateLimitPolicy": text("The limits that hold."),
        "Challenge": text("How to authenticate."),
    })
}

/// Schemas of what no type of ours stands for: a message of JSON-RPC may be one of many things.
fn by_hand() -> Map<String, Value> {
    let id = json!({"type": ["string", "integer"]});
    let message = json!({
        "type": "object",
        "properties": {
            "jsonrpc": {"const": "2.0"},
            "id": id,
            "method": {"type": "string", "examples": ["tools/list", "tools/call"]},
            "params": {"type": ["object", "null"]},
        },
        "required": ["jsonrpc", "method"],
    });
    // What stands in a batch is judged one by one, so it may be anything.
    let batch = json!({"type": "array", "minItems": 1, "maxItems": MAX_BATCH});
    let message = json!({
        "description": "A request, a notification (without `id`), or a batch where the revision has \
            them.",
        "oneOf": [message, batch],
    });
    let one = json!({"oneOf": [reference("RpcResult"), reference("RpcError")]});
    let answer = json!({
        "description": "The answer to a message, or the answers to a batch.",
        "oneOf": [
            reference("RpcResult"),
            reference("RpcError"),
            {"type": "array", "items": one},
        ],
    });
    Map::from_iter([("RpcMessage".to_owned(), message), ("RpcAnswer".to_owned(), answer)])
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

/// JSON that is written in the table of routes.
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every reference within a value.
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_schema_is_led_to() {
        let document = document();
        let mut found = Vec::new();
        references(&document, &mut found);
        for reference in &found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
        for name in document["components"]["schemas"].as_object().unwrap().keys() {
            let reference = format!("#/components/schemas/{name}");
            let streamed = document["paths"].to_string().contains(&reference);
            assert!(streamed || found.contains(&reference.as_str()), "{name} is used nowhere");
        }
    }

    #[test]
    fn every_route_is_described_once_with_examples_that_parse() {
        let document = document();
        let mut ids: Vec<&str> = ROUTES.iter().map(|route| route.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), ROUTES.len());
        for route in ROUTES {
            assert!(TAGS.iter().any(|(name, _)| *name == route.tag), "{}", route.tag);
            let operation = &document["paths"][route.path][route.method];
            assert_eq!(operation["operationId"], route.id);
            if route.body.is_some() {
                let example = &operation["requestBody"]["content"]["application/json"]["example"];
                assert!(example.is_object(), "{}", route.path);
            }
            assert!(
                operation["responses"].as_object().unwrap().len()
                    == route.answers.len() + route.errors.len()
            );
        }
    }

    #[test]
    fn pages_of_votes_have_the_limits_that_hold() {
        let limit = &document()["paths"]["/feedback"]["get"]["parameters"][0]["schema"];
        assert_eq!(limit["default"], crate::feedback::LIMIT);
        assert_eq!(limit["maximum"], crate::feedback::MAX_LIMIT);
    }
}
