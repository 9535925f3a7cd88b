//! What every response must be, whatever a case says: the headers of the house, and the word of
//! `docs/openapi.json`.

use regex::Regex;
use serde_json::Value;

use super::{case::Step, schema, stream};
use crate::Reply;

/// Prefix under which every route answers too.
const PREFIX: &str = "/api/v1";

/// Headers of every response, errors included, with a pattern each.
const HOUSE: [(&str, &str); 5] = [
    ("x-content-type-options", "^nosniff$"),
    ("x-frame-options", "^DENY$"),
    ("referrer-policy", "."),
    ("content-security-policy", "^default-src '(self|none)'"),
    ("x-request-id", "^[A-Za-z0-9._-]{1,128}$"),
];

/// Holds a response to the contract.
pub(super) fn check(document: &Value, step: &Step, reply: &Reply) -> Result<(), String> {
    for (name, pattern) in HOUSE {
        let value = reply.headers.get(name).ok_or_else(|| format!("{name}: is missing"))?;
        let fits = Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(value));
        if !fits {
            return Err(format!("{name}: expected {pattern}, got {value:?}"));
        }
    }
    let media = reply.headers.get("content-type").map_or("", String::as_str);
    let media = media.split(';').next().unwrap_or_default().trim();
    if step.method == "HEAD" {
        let empty = reply.body.is_empty();
        return if empty { Ok(()) } else { Err("a reply to HEAD has a body".to_owned()) };
    }
    match operation(document, step) {
        Some(operation) => described(document, operation, media, reply),
        None if media == "application/problem+json" => {
            let problem = &document["components"]["schemas"]["Problem"];
            schema::check(document, problem, &reply.json()).map_err(|why| format!("Problem: {why}"))
        }
        None => Ok(()),
    }
}

/// The description of the step's route and method.
fn operation<'a>(document: &'a Value, step: &Step) -> Option<&'a Value> {
    let path = step.path.split('?').next().unwrap_or_default();
    let path = path.strip_prefix(PREFIX).filter(|rest| rest.starts_with('/')).unwrap_or(path);
    let paths = document["paths"].as_object()?;
    // A name in braces ends a path and stands for all that follows: a model's id may have slashes.
    let named = || {
        let stands_for = |(known, _): &(&String, &Value)| {
            let before = known.split_once('{').map(|(before, _)| before);
            before.and_then(|before| path.strip_prefix(before)).is_some_and(|it| !it.is_empty())
        };
        paths.iter().find(stands_for).map(|(_, methods)| methods)
    };
    paths.get(path).or_else(named)?.get(step.method.to_lowercase())
}

fn described(
    document: &Value,
    operation: &Value,
    media: &str,
    reply: &Reply,
) -> Result<(), String> {
    let status = reply.status;
    let response = operation["responses"].get(status.to_string());
    let response =
        response.ok_or_else(|| format!("openapi.json does not know the status {status}"))?;
    let response = match response["$ref"].as_str().and_then(|path| path.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).unwrap_or(response),
        None => response,
    };
    let Some(content) = response["content"].as_object() else {
        let empty = reply.body.is_empty();
        return if empty { Ok(()) } else { Err("openapi.json knows of no body".to_owned()) };
    };
    let content = content.get(media);
    let content =
        content.ok_or_else(|| format!("openapi.json does not know {media:?} with {status}"))?;
    if let Some(known) = content["x-events"].as_array() {
        return stream::events(&reply.body)?
            .iter()
            .try_for_each(|event| one(document, known, event));
    }
    if media.ends_with("json") {
        let verdict = schema::check(document, &content["schema"], &reply.json());
        return verdict.map_err(|why| format!("not as openapi.json has it: {why}"));
    }
    Ok(())
}

/// Holds an event to one of its name's descriptions.
fn one(document: &Value, known: &[Value], event: &stream::Event) -> Result<(), String> {
    let mut why = format!("openapi.json does not know the event {:?}", event.name);
    for known in known.iter().filter(|known| known["event"].as_str().unwrap_or("") == event.name) {
        let verdict = match known.get("data") {
            Some(schema) => schema::check(document, schema, &event.json()),
            None => Ok(()),
        };
        match verdict {
            Ok(()) => return Ok(()),
            Err(problem) => why = format!("event {}: {problem}", event.name),
        }
    }
    Err(why)
}
