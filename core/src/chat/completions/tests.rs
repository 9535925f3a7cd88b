//! OpenAI's shapes, in and out.

use serde_json::{Value, json};

use super::*;

fn read(request: Value) -> Result<Conversation, RequestError> {
    Conversation::read(serde_json::from_value(request).unwrap())
}

/// The question and the turns before it, for a list of roles and contents.
fn check(messages: Value, expected: (&str, &[(&str, &str)])) {
    let conversation = read(json!({"messages": messages.clone()})).unwrap();
    let earlier: Vec<(&str, &str)> = conversation
        .earlier
        .iter()
        .map(|turn| (turn.question.as_str(), turn.answer.as_str()))
        .collect();
    assert_eq!((conversation.question.as_str(), &*earlier), expected, "{messages}");
}

fn message(role: &str, content: &str) -> Value {
    json!({"role": role, "content": content})
}

#[test]
fn the_last_question_and_the_turns_before_it() {
    check(json!([message("user", "A?")]), ("A?", &[]));
    check(
        json!([message("user", "A?"), message("assistant", "B."), message("user", "C?")]),
        ("C?", &[("A?", "B.")]),
    );
    check(json!([message("system", "You are a pirate."), message("user", "A?")]), ("A?", &[]));
    check(
        json!([message("user", "A?"), message("developer", "Speak Latin."), message("user", "B?")]),
        ("A?\nB?", &[]),
    );
    check(json!([message("assistant", "Hello."), message("user", "A?")]), ("A?", &[]));
    check(
        json!([message("user", "A?"), message("tool", "42"), {"role": "assistant", "content": null},
            message("user", "B?")]),
        ("B?", &[("A?", "")]),
    );
    check(
        json!([{"role": "user", "content": [
            {"type": "text", "text": "A"}, {"type": "text", "text": "B?"}]}]),
        ("A\nB?", &[]),
    );
}

#[test]
fn only_the_last_turns_are_kept() {
    let mut messages: Vec<Value> = (0..MAX_TURNS + 3)
        .flat_map(|n| [message("user", &n.to_string()), message("assistant", "so")])
        .collect();
    messages.push(message("user", "A?"));
    let earlier = read(json!({"messages": messages})).unwrap().earlier;
    assert_eq!((earlier.len(), earlier[0].question.as_str()), (MAX_TURNS, "3"));
}

#[test]
fn faults_name_the_field() {
    let picture = json!([{"type": "image_url", "image_url": {"url": "x"}}]);
    for (request, field, words) in [
        (json!({"messages": []}), "messages", "must end with"),
        (json!({"messages": [message("system", "A")]}), "messages", "must end with"),
        (
            json!({"messages": [message("user", "A"), message("assistant", "B")]}),
            "messages",
            "must end with",
        ),
        (json!({"messages": [message("root", "A")]}), "messages[0].role", "got \"root\""),
        (
            json!({"messages": [{"role": "user", "content": picture}]}),
            "messages[0].content",
            "image_url",
        ),
        (json!({"messages": [message("user", "A")], "n": 2}), "n", "got 2"),
        (
            json!({"messages": [message("user", "A")], "user": "x".repeat(257)}),
            "user",
            "at most 256",
        ),
    ] {
        let Err(RequestError::Invalid { fields }) = read(request.clone()) else {
            panic!("{request}")
        };
        assert_eq!((fields.len(), fields[0].field.as_str()), (1, field), "{request}");
        assert!(fields[0].message.contains(words), "{fields:?}");
    }
    let wrong = json!({"messages": [{"role": "user", "content": 7}]}).to_string();
    let error = crate::wire::read_json::<CompletionRequest>(wrong.as_bytes()).unwrap_err();
    let words = "messages[0].content must be a string or an array of parts with a `type`, got";
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn options_are_taken_over() {
    let conversation = read(json!({
        "model": "openai/gpt-oss-20b", "messages": [message("user", "A?")], "stream": true,
        "stream_options": {"include_usage": true}, "temperature": 0.5, "max_tokens": 10,
        "max_completion_tokens": 20, "user": "somebody", "tools": [], "seed": 7
    }))
    .unwrap();
    assert_eq!(conversation.model.as_deref(), Some("openai/gpt-oss-20b"));
    let request = conversation.request();
    assert_eq!((request.max_tokens, request.temperature), (Some(20), Some(0.5)));
    assert_eq!((request.question.as_str(), request.session_id), ("A?", None));
    assert!(conversation.stream && conversation.include_usage);
    let caller = conversation.caller.unwrap();
    assert!(crate::session::is_id(&caller) && !caller.contains("somebody"), "{caller}");
    let other = read(json!({"model": MODEL, "messages": [message("user", "A?")],
        "user": "nobody", "stream": null}));
    let other = other.unwrap();
    assert_eq!((other.model, other.stream), (None, false));
    assert_ne!(other.caller.unwrap(), caller);
}

fn response() -> ChatResponse {
    let source = ChatSource {
        id: "a:0".to_owned(),
        source: "a.md".to_owned(),
        title: "A".to_owned(),
        heading: Vec::new(),
        page: None,
        text: "Radium.".to_owned(),
        distance: None,
        citation_index: 1,
    };
    ChatResponse {
        answer: "Radium [1].".to_owned(),
        sources: vec![source],
        grounded: true,
        confidence: Some(0.9),
        session_id: "s".to_owned(),
        degraded: Vec::new(),
        ..ChatResponse::default()
    }
}

#[test]
fn a_reply_has_the_shape_of_openai_and_our_citations() {
    let completion = Completion::new("r-1", Duration::from_secs(7), "extractive");
    let reply = completion.reply(&response(), CompletionUsage::new(3, 4), false);
    let reply = serde_json::to_value(reply).unwrap();
    let citation = serde_json::to_value(&response().sources[0]).unwrap();
    assert_eq!(
        reply,
        json!({
            "id": "chatcmpl-r-1", "object": "chat.completion", "created": 7,
            "model": "extractive",
            "choices": [{
                "index": 0, "finish_reason": "stop", "logprobs": null,
                "message": {"role": "assistant", "content": "Radium [1].", "refusal": null,
                    "citations": [citation]},
            }],
            "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
        })
    );
}

#[test]
fn a_stream_opens_goes_on_and_ends() {
    let completion = Completion::new("r", Duration::ZERO, "m");
    let sources = response().sources;
    let stream = [
        completion.open(),
        completion.thinking("Hm."),
        completion.text("Ra"),
        completion.text("dium\n\n[1]."),
        completion.close(&sources, Some(CompletionUsage::new(1, 2)), true),
    ]
    .concat();
    let mut lines: Vec<&str> = stream.trim_end().split("\n\n").collect();
    assert_eq!(lines.pop(), Some("data: [DONE]"));
    let chunks: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line.strip_prefix("data: ").unwrap()).unwrap())
        .collect();
    assert_eq!(chunks.len(), 6);
    assert!(chunks.iter().all(|chunk| chunk["id"] == "chatcmpl-r"));
    let delta = |at: usize| chunks[at]["choices"][0]["delta"].clone();
    assert_eq!(delta(0), json!({"role": "assistant", "content": ""}));
    assert_eq!(delta(1), json!({"reasoning_content": "Hm."}));
    assert_eq!(delta(3), json!({"content": "dium\n\n[1]."}));
    assert_eq!(delta(4)["citations"][0]["id"], "a:0");
    assert_eq!(chunks[3]["choices"][0]["finish_reason"], Value::Null);
    assert_eq!(chunks[4]["choices"][0]["finish_reason"], "length");
    assert_eq!(
        (&chunks[5]["choices"], &chunks[5]["usage"]["total_tokens"]),
        (&json!([]), &json!(3))
    );
    assert!(!completion.close(&sources, None, false).contains("usage"));
}

#[test]
fn errors_have_the_shape_of_openai() {
    let fields = vec![fault("n", "n must be 1".to_owned())];
    for (error, kind, code, param) in [
        (RequestError::Unauthorized, "invalid_request_error", "invalid_api_key", Value::Null),
        (
            RequestError::Invalid { fields },
            "invalid_request_error",
            "validation_failed",
            json!("n"),
        ),
        (
            RequestError::Unavailable { reason: "no index".to_owned() },
            "server_error",
            "unavailable",
            Value::Null,
        ),
    ] {
        let shape = serde_json::to_value(CompletionError::new(&error)).unwrap();
        let message = error.to_string();
        let expected = json!({"message": message, "type": kind, "param": param, "code": code});
        assert_eq!(shape, json!({"error": expected}));
    }
}

#[test]
fn models_begin_with_our_own() {
    let list = serde_json::to_value(ModelList::new([("llama", "groq")])).unwrap();
    assert_eq!(list["object"], "list");
    assert_eq!(
        list["data"][0],
        json!({"id": "dossier", "object": "model", "created": 0, "owned_by": "dossier"})
    );
    assert_eq!(
        (&list["data"][1]["id"], &list["data"][1]["owned_by"]),
        (&json!("llama"), &json!("groq"))
    );
}

#[test]
fn a_model_is_named_by_its_id_in_a_path() {
    let take = |name| ModelList::new([("qwen/qwen3:8b", "custom")]).take(name);
    for name in ["qwen/qwen3:8b", "qwen%2Fqwen3%3a8b", "Qwen/Qwen3:8B"] {
        assert_eq!(take(name).unwrap().owned_by, "custom", "{name}");
    }
    assert_eq!(take("dossier").unwrap().id, "dossier");
    for name in ["", "qwen", "dossier/", "%2", "%ff", "dossier%00"] {
        let shape = CompletionError::new(&take(name).unwrap_err());
        let expected = "the request names an unknown model; there are dossier and qwen/qwen3:8b";
        assert_eq!(shape.error.message, expected, "{name}");
        assert_eq!(shape.error.code, "model_not_found");
        assert_eq!(shape.error.kind, "invalid_request_error");
    }
}
