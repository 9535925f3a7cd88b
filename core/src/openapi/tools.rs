//! The definitions of the protocol's tools, as `tools/list` shows them.

use serde_json::{Value, json};

use super::schemas;
use crate::{
    mcp::{ASK, SEARCH},
    wire::{AskArguments, ChatResponse, SearchArguments, SearchResponse},
};

/// Both tools.
pub(super) fn definitions() -> Value {
    let mut ask = schemas::inline::<AskArguments>(true);
    schemas::merge(&mut ask["properties"]["question"], schemas::question());
    schemas::merge(&mut ask["properties"]["session_id"], schemas::session_id());
    schemas::merge(&mut ask["properties"]["top_k"], schemas::top_k());
    let mut search = schemas::inline::<SearchArguments>(true);
    schemas::merge(&mut search["properties"]["query"], schemas::question());
    schemas::merge(&mut search["properties"]["top_k"], schemas::top_k());
    // Nothing is changed by either, and both look at these documents and nowhere else. Two equal
    // questions may be worded differently by a model, so neither is called idempotent.
    let annotations =
        json!({"readOnlyHint": true, "destructiveHint": false, "openWorldHint": false});
    json!([
        {
            "name": ASK,
            "title": "Ask the documents",
            "description": "Answers a question about the person whose documents these are, with a \
                citation `[n]` behind each statement and the cited passages as `sources`. Says so \
                where the documents do not answer it.",
            "inputSchema": ask,
            "outputSchema": schemas::inline::<ChatResponse>(false),
            "annotations": annotations,
        },
        {
            "name": SEARCH,
            "title": "Search the documents",
            "description": "Finds the passages of the documents that come closest to a query, best \
                first, without writing an answer.",
            "inputSchema": search,
            "outputSchema": schemas::inline::<SearchResponse>(false),
            "annotations": annotations,
        },
    ])
}
