//! One request and its response, with what earlier steps left.

use std::{collections::BTreeMap, io::Read as _};

use anyhow::{Context as _, Result, bail};
use regex::{Captures, Regex};
use reqwest::blocking::Client;
use serde_json::Value;

use super::{case::Step, pattern, stream};
use crate::Reply;

/// What a case knows: the names it may use in double braces, and their values.
pub(super) type Names = BTreeMap<String, String>;

/// Puts values for the names in double braces; `{{x*3}}` is `xxx`.
pub(super) fn filled(text: &str, names: &Names) -> Result<String> {
    let braces = Regex::new(r"\{\{(?:(\w+)|(.+?)\*(\d+))\}\}")?;
    let mut unknown = None;
    let filled = braces.replace_all(text, |found: &Captures<'_>| {
        if let (Some(text), Some(times)) = (found.get(2), found.get(3)) {
            return text.as_str().repeat(times.as_str().parse().unwrap_or(0));
        }
        names.get(&found[1]).cloned().unwrap_or_else(|| {
            unknown = Some(found[1].to_owned());
            String::new()
        })
    });
    match unknown {
        Some(name) => bail!("nothing is named {name} here"),
        None => Ok(filled.into_owned()),
    }
}

/// Sends a step's request.
pub(super) fn send(client: &Client, base: &str, step: &Step, names: &Names) -> Result<Reply> {
    let path = filled(&step.path, names)?;
    let mut request = client.request(step.method.parse()?, format!("{base}{path}"));
    for (name, value) in &step.headers {
        request = request.header(name, filled(value, names)?);
    }
    let body = filled(&step.body, names)?;
    let typed = step.headers.iter().any(|(name, _)| name == "content-type");
    if !body.is_empty() && !typed {
        request = request.header("content-type", "application/json");
    }
    let mut reply = request.body(body).send()?;
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in reply.headers() {
        let value = String::from_utf8_lossy(value.as_bytes());
        headers
            .entry(name.to_string())
            .and_modify(|all| *all = format!("{all}, {value}"))
            .or_insert_with(|| value.into_owned());
    }
    let status = reply.status().as_u16();
    let mut body = Vec::new();
    reply.read_to_end(&mut body)?;
    Ok(Reply { status, headers, body: String::from_utf8(body).context("the body is no text")? })
}

/// Holds a response to what the step expects.
pub(super) fn check(step: &Step, reply: &Reply, names: &Names) -> Result<(), String> {
    let expected = &step.expected;
    if !expected.statuses.contains(&reply.status) {
        let wanted = &expected.statuses;
        return Err(format!("expected {wanted:?}, got {}: {}", reply.status, cut(reply)));
    }
    for (name, value) in &expected.headers {
        let value = filled(value, names).map_err(|error| error.to_string())?;
        match (value.as_str(), reply.headers.get(name)) {
            ("-", None) => {}
            ("-", Some(got)) => return Err(format!("{name}: must not be there, got {got:?}")),
            (_, None) => return Err(format!("{name}: is missing")),
            (value, Some(got)) => {
                pattern::text(value, got).map_err(|why| format!("{name}: {why}"))?;
            }
        }
    }
    let body = filled(&expected.body, names).map_err(|error| error.to_string())?;
    let verdict = match body.chars().next() {
        None => Ok(()),
        Some('(') => pattern::text("", &reply.body),
        Some('~' | '!') => body.lines().try_for_each(|line| pattern::text(line, &reply.body)),
        Some('{' | '[' | '"') => match serde_json::from_str(&body) {
            Ok(expected) => pattern::json(&expected, &reply.json()),
            Err(error) => Err(format!("the case has bad JSON: {error}")),
        },
        Some(_) => stream::events(&reply.body).and_then(|events| stream::check(&body, &events)),
    };
    verdict.map_err(|why| format!("{why}\n      in {}", cut(reply)))
}

/// Takes from a response what later steps use: `/json/pointer`, `header NAME`, or `event NAME
/// /json/pointer`.
pub(super) fn capture(step: &Step, reply: &Reply, names: &mut Names) -> Result<(), String> {
    for (name, place) in &step.expected.captures {
        let words: Vec<&str> = place.split(' ').collect();
        let found = match words.as_slice() {
            [pointer] => reply.json().pointer(pointer).map(plain),
            ["header", header] => reply.headers.get(*header).cloned(),
            ["event", event, pointer] => stream::events(&reply.body)?
                .iter()
                .find(|it| it.name == *event)
                .and_then(|it| it.json().pointer(pointer).map(plain)),
            _ => return Err(format!("the case has a bad place: {place}")),
        };
        let found = found.ok_or_else(|| format!("there is no {place} in {}", cut(reply)))?;
        names.insert(name.clone(), found);
    }
    Ok(())
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// As much of a body as helps.
fn cut(reply: &Reply) -> String {
    reply.body.chars().take(1_000).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in() {
        let names = Names::from([("session".to_owned(), "s-1".to_owned())]);
        for (text, expected) in [
            ("{\"id\": \"{{session}}\"}", Some("{\"id\": \"s-1\"}")),
            ("{{ab *3}}", Some("ab ab ab ")),
            ("{{x*2}}{{session}}", Some("xxs-1")),
            ("{}", Some("{}")),
            ("{{nothing}}", None),
        ] {
            assert_eq!(filled(text, &names).ok().as_deref(), expected, "{text}");
        }
    }
}
