//! The description of the API, made from the wire types: OpenAPI 3.1, the page that shows it, and
//! the definitions of the protocol's tools.
//!
//! Behind the feature `openapi`, which no component has: what is made here is checked in, and
//! `cargo xtask openapi` makes it again.

mod document;
mod page;
mod routes;
mod schemas;
mod tools;

use serde_json::Value;

pub use self::document::document;

/// A file that is made here.
#[derive(Debug)]
pub struct Output {
    /// Its path below the workspace's folder.
    pub path: &'static str,
    /// What it holds.
    pub content: String,
}

/// Makes every file.
pub fn outputs() -> Vec<Output> {
    let document = document();
    vec![
        Output { path: "docs/openapi.json", content: pretty(&document) },
        Output { path: "functions/web/static/docs.html", content: page::page(&document) },
        Output { path: "core/src/mcp/tools.json", content: pretty(&tools::definitions()) },
    ]
}

/// JSON with sorted members, so that the same types always give the same bytes.
fn pretty(value: &Value) -> String {
    fn sorted(value: &Value) -> Value {
        match value {
            Value::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                members.sort_by_key(|(name, _)| *name);
                members.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect()
            }
            Value::Array(values) => values.iter().map(sorted).collect(),
            other => other.clone(),
        }
    }
    // A value made of strings and numbers can always be written.
    serde_json::to_string_pretty(&sorted(value)).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOLDEN: [(&str, &str); 3] = [
        ("docs/openapi.json", include_str!("../../../docs/openapi.json")),
        ("functions/web/static/docs.html", include_str!("../../../functions/web/static/docs.html")),
        ("core/src/mcp/tools.json", include_str!("../mcp/tools.json")),
    ];

    #[test]
    fn the_checked_in_files_are_what_the_types_say() {
        let outputs = outputs();
        assert_eq!(outputs.len(), GOLDEN.len());
        for (output, (path, content)) in outputs.iter().zip(GOLDEN) {
            assert_eq!(output.path, path);
            assert!(output.content == content, "{path} is out of date: run `cargo xtask openapi`");
        }
    }
}
