//! Requests that stand alone (revision 2026-07-28 and later): what their head and `_meta` must say.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::{
    message::{Fault, Head, INVALID_PARAMS},
    respond::{MODERN_REVISIONS, revisions},
};

/// The head does not say what the body says.
pub(super) const HEADER_MISMATCH: i32 = -32_020;
/// The request is of a revision that is not spoken here.
pub(super) const UNSUPPORTED_REVISION: i32 = -32_022;

const REVISION: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const SERVER: &str = "io.modelcontextprotocol/serverInfo";

/// How long a client may keep what it was told of us, in milliseconds: an hour. Tools change with a
/// deployment and no sooner.
const FRESH_MS: u64 = 3_600_000;

/// Whether the parameters say a revision, which makes a request stand alone.
pub(super) fn stands_alone(params: &Map<String, Value>) -> bool {
    meta(params).is_some_and(|meta| meta.contains_key(REVISION))
}

/// Checks that a request says what it must, and the same in its head and its body.
pub(super) fn check(
    head: &Head<'_>,
    method: &str,
    params: &Map<String, Value>,
) -> Result<(), Fault> {
    let bad = |message: String| Err(Fault::new(INVALID_PARAMS, message));
    let revision = match meta(params).and_then(|meta| meta.get(REVISION)) {
        Some(Value::String(revision)) => revision,
        Some(_) => return bad(format!("params._meta: {REVISION} must be a string")),
        None => return bad(format!("params._meta must have {REVISION}")),
    };
    if !meta(params).is_some_and(|meta| meta.get(CAPABILITIES).is_some_and(Value::is_object)) {
        return bad(format!("params._meta: {CAPABILITIES} must be an object"));
    }
    same("MCP-Protocol-Version", head.revision, revision)?;
    same("Mcp-Method", head.method, method)?;
    if let ("tools/call", Some(Value::String(name))) = (method, params.get("name")) {
        let given = head.name.and_then(decoded);
        same("Mcp-Name", given.as_deref(), name)?;
    }
    supported(revision)
}

/// Checks that requests of `revision` are answered without a handshake.
pub(super) fn supported(revision: &str) -> Result<(), Fault> {
    if MODERN_REVISIONS.contains(&revision) {
        return Ok(());
    }
    let data = json!({"supported": revisions(), "requested": revision});
    Err(Fault::new(UNSUPPORTED_REVISION, "unsupported protocol version").with_data(data))
}

/// What `server/discover` tells.
pub(super) fn discovered(capabilities: Value, instructions: &str) -> Value {
    json!({
        "supportedVersions": revisions(),
        "capabilities": capabilities,
        "instructions": instructions,
        "ttlMs": FRESH_MS,
        "cacheScope": "public",
    })
}

/// Adds to a list how long it stays fresh.
pub(super) fn fresh(mut list: Value) -> Value {
    list["ttlMs"] = json!(FRESH_MS);
    list["cacheScope"] = json!("public");
    list
}

/// Adds to a result what every result of these revisions carries.
pub(super) fn complete(mut result: Value, server: Value) -> Value {
    result["resultType"] = json!("complete");
    result["_meta"] = json!({ SERVER: server });
    result
}

/// The HTTP status of an answer.
pub(super) fn status(code: i32) -> u16 {
    if code == super::message::METHOD_NOT_FOUND { 404 } else { 400 }
}

fn meta(params: &Map<String, Value>) -> Option<&Map<String, Value>> {
    params.get("_meta")?.as_object()
}

fn same(header: &str, given: Option<&str>, expected: &str) -> Result<(), Fault> {
    match given {
        Some(given) if given == expected => Ok(()),
        Some(_) => {
            let message = format!("the header {header} does not say what the body says");
            Err(Fault::new(HEADER_MISMATCH, message))
        }
        None => {
            let message = format!("the header {header} is missing or malformed");
            Err(Fault::new(HEADER_MISMATCH, message))
        }
    }
}

/// A header's value, which may be `=?base64?…?=` where it is not plain ASCII.
fn decoded(value: &str) -> Option<String> {
    let encoded = value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?="));
    let Some(encoded) = encoded else { return Some(value.to_owned()) };
    String::from_utf8(STANDARD.decode(encoded).ok()?).ok()
}
