//! The page that shows the description: static HTML without scripts, in the style of the chat page.

use std::fmt::Write as _;

use serde_json::Value;

use super::routes::{ROUTES, TAGS};

/// The whole page.
pub(super) fn page(document: &Value) -> String {
    let mut html = String::new();
    let info = &document["info"];
    let _ = write!(html, include_str!("head.html"), version = text(&info["version"]));
    paragraphs(&mut html, text(&info["description"]));
    html.push_str("</header>\n<nav aria-label=\"Routes\">\n");
    for (tag, _) in TAGS {
        let _ = writeln!(html, "<h2>{tag}</h2>\n<ul>");
        for route in ROUTES.iter().filter(|route| route.tag == *tag) {
            let (method, path) = (route.method.to_uppercase(), route.path);
            let _ = writeln!(
                html,
                "<li><a href=\"#{}\"><span class=\"method\">{method}</span> <code>{path}</code></a></li>",
                route.id
            );
        }
        html.push_str("</ul>\n");
    }
    html.push_str("</nav>\n<main>\n");
    for (tag, about) in TAGS {
        let _ = writeln!(html, "<section>\n<h2>{tag}</h2>\n<p>{}</p>", escaped(about));
        for route in ROUTES.iter().filter(|route| route.tag == *tag) {
            let operation = &document["paths"][route.path][route.method];
            operation_section(&mut html, document, route.method, route.path, operation);
        }
        html.push_str("</section>\n");
    }
    html.push_str("<section>\n<h2>Shapes</h2>\n");
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        // The name stands within, so that a link to it opens the shape.
        let _ =
            writeln!(html, "<details>\n<summary><h3>{name}</h3></summary>\n<div id=\"{name}\">");
        paragraphs(&mut html, text(&schema["description"]));
        members(&mut html, schema);
        html.push_str("</div>\n</details>\n");
    }
    html.push_str("</section>\n</main>\n</body>\n</html>\n");
    html
}

fn operation_section(
    html: &mut String,
    document: &Value,
    method: &str,
    path: &str,
    operation: &Value,
) {
    let _ = writeln!(
        html,
        "<article id=\"{}\">\n<h3><span class=\"method\">{}</span> <code>{path}</code></h3>\n\
         <p class=\"summary\">{}</p>",
        text(&operation["operationId"]),
        method.to_uppercase(),
        escaped(text(&operation["summary"])),
    );
    paragraphs(html, text(&operation["description"]));
    if let Some(parameters) = operation["parameters"].as_array() {
        let in_path = parameters.iter().all(|parameter| parameter["in"] == "path");
        let _ = writeln!(html, "<h4>{}</h4>\n<dl>", if in_path { "Path" } else { "Query" });
        for parameter in parameters {
            member(html, text(&parameter["name"]), in_path, &parameter["schema"]);
            let _ = writeln!(html, "<dd>{}</dd>", marked(text(&parameter["description"])));
        }
        html.push_str("</dl>\n");
    }
    let body = &operation["requestBody"]["content"]["application/json"];
    if !body.is_null() {
        let _ = writeln!(html, "<h4>Body: {}</h4>", kind(&body["schema"]));
        let resolved = resolve(document, &body["schema"]);
        members(html, resolved);
        let example = serde_json::to_string(&body["example"]).unwrap_or_default();
        let command =
            format!("curl -s $URL{path} -H 'content-type: application/json' \\\n  -d '{example}'");
        let _ = writeln!(html, "<h4>Example</h4>\n<pre tabindex=\"0\">{}</pre>", escaped(&command));
    }
    html.push_str("<h4>Answers</h4>\n<dl>\n");
    for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
        let answer = resolve(document, answer);
        let _ = write!(html, "<dt><code>{status}</code>");
        for (media, content) in answer["content"].as_object().into_iter().flatten() {
            let _ =
                write!(html, " {} <span class=\"media\">{media}</span>", kind(&content["schema"]));
        }
        let _ = writeln!(html, "</dt>\n<dd>{}</dd>", marked(text(&answer["description"])));
        let events = answer["content"]["text/event-stream"]["x-events"].as_array();
        for event in events.into_iter().flatten() {
            let name = event["event"].as_str().unwrap_or("data");
            let data = if event["data"].is_null() { String::new() } else { kind(&event["data"]) };
            let _ = writeln!(
                html,
                "<dd class=\"event\"><code>{name}</code> {data} {}</dd>",
                marked(text(&event["description"]))
            );
        }
    }
    html.push_str("</dl>\n</article>\n");
}

/// The members of an object, each with its type, limits and meaning.
fn members(html: &mut String, schema: &Value) {
    let Some(properties) = schema["properties"].as_object() else {
        let _ = writeln!(html, "<p>{}</p>", kind(schema));
        return;
    };
    html.push_str("<dl>\n");
    let is_required = |name: &str| {
        let required = schema["required"].as_array();
        required.is_some_and(|required| required.iter().any(|it| it == name))
    };
    let mut properties: Vec<_> = properties.iter().collect();
    properties.sort_by_key(|(name, _)| (!is_required(name), *name));
    for (name, property) in properties {
        let required = is_required(name);
        member(html, name, required, property);
        let description = text(&property["description"]);
        if !description.is_empty() {
            let _ = writeln!(html, "<dd>{}</dd>", marked(description));
        }
    }
    html.push_str("</dl>\n");
}

fn member(html: &mut String, name: &str, required: bool, schema: &Value) {
    let _ = write!(html, "<dt><code>{name}</code> {}", kind(schema));
    for limit in limits(schema) {
        let _ = write!(html, " <span class=\"limit\">{}</span>", escaped(&limit));
    }
    if required {
        html.push_str(" <span class=\"required\">required</span>");
    }
    html.push_str("</dt>\n");
}

/// A type in words, with a link where it has a name.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("<a href=\"#{name}\">{name}</a>");
    }
    if let Some(choices) = ["oneOf", "anyOf"].iter().find_map(|key| schema[*key].as_array()) {
        return choices.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    let name = match &schema["type"] {
        Value::String(name) => name.clone(),
        Value::Array(names) => names.iter().map(text).collect::<Vec<_>>().join(" or "),
        _ if !schema["const"].is_null() => schema["const"].to_string(),
        _ => "anything".to_owned(),
    };
    match (name.as_str(), &schema["items"], &schema["additionalProperties"]) {
        ("array", items, _) if !items.is_null() => format!("array of {}", kind(items)),
        ("object", _, members) if members.is_object() => format!("object of {}", kind(members)),
        _ => escaped(&name),
    }
}

/// What a schema asks beyond its type.
fn limits(schema: &Value) -> Vec<String> {
    let range = |low: &str, high: &str, what: &str| match (&schema[low], &schema[high]) {
        (Value::Number(low), Value::Number(high)) => Some(format!("{low} to {high}{what}")),
        (Value::Null, Value::Number(high)) => Some(format!("at most {high}{what}")),
        (Value::Number(low), Value::Null) if low.as_f64() != Some(0.0) => {
            Some(format!("at least {low}{what}"))
        }
        _ => None,
    };
    let values = schema["enum"].as_array().map(|values| {
        let values = values.iter().filter(|value| !value.is_null()).map(Value::to_string);
        values.collect::<Vec<_>>().join(", ")
    });
    let default = (!schema["default"].is_null()).then(|| format!("default {}", schema["default"]));
    [
        range("minimum", "maximum", ""),
        range("minLength", "maxLength", " characters"),
        range("minItems", "maxItems", " items"),
        schema["pattern"].as_str().map(str::to_owned),
        values,
        default,
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let pointer = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

fn paragraphs(html: &mut String, description: &str) {
    for paragraph in description.split("\n\n").filter(|paragraph| !paragraph.is_empty()) {
        let _ = writeln!(html, "<p>{}</p>", marked(paragraph));
    }
}

/// Escapes, and sets what stands between backticks as code.
fn marked(description: &str) -> String {
    let mut html = String::new();
    for (at, part) in description.split('`').enumerate() {
        match at % 2 {
            0 => html.push_str(&escaped(part)),
            _ => {
                let _ = write!(html, "<code>{}</code>", escaped(part));
            }
        }
    }
    html
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openapi::document;

    #[test]
    fn every_link_leads_somewhere_and_nothing_comes_from_elsewhere() {
        let page = page(&document());
        for link in page.split("href=\"#").skip(1) {
            let target = link.split('"').next().unwrap();
            assert!(page.contains(&format!("id=\"{target}\"")), "#{target}");
        }
        for foreign in ["<script", "<style", "style=\"", "http://", "https://", "src="] {
            assert!(!page.contains(foreign), "{foreign}");
        }
    }

    #[test]
    fn text_is_no_markup() {
        assert_eq!(marked("a < `b & c` > d"), "a &lt; <code>b &amp; c</code> &gt; d");
    }
}
