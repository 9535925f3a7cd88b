//! The routes over real HTTP: answers, streams, health, and what bad requests get.

use dossier_tests::{Reply, Server, ServerOptions, groq::Groq};
use serde_json::{Value, json};

fn ask(server: &Server, question: &str) -> Value {
    let reply = server.post("/chat", &json!({"question": question})).unwrap();
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

#[test]
fn answers_cite_passages_that_hold_the_answer() {
    let server = Server::start().unwrap();
    for (question, fact) in [
        ("Where was Marie Curie born?", "Warsaw"),
        ("When did she defend her doctoral thesis?", "1903"),
        ("Who isolated radium metal together with her?", "Debierne"),
    ] {
        let answer = ask(&server, question);
        assert_eq!(answer["grounded"], true, "{answer}");
        let sources = answer["sources"].as_array().unwrap();
        let held = sources.iter().any(|source| source["text"].as_str().unwrap().contains(fact));
        assert!(held, "{question}: {answer}");
        assert!(answer["answer"].as_str().unwrap().contains("[1]"), "{answer}");
        for (at, source) in sources.iter().enumerate() {
            assert_eq!(source["citation_index"], at + 1);
            assert!(!source["source"].as_str().unwrap().starts_with('/'), "{source}");
        }
        assert_eq!(answer["degraded"], json!([]));
    }
}

#[test]
fn refuses_what_the_documents_do_not_say() {
    let server = Server::start().unwrap();
    for question in ["What is the capital of Australia?", "Write me a Python function"] {
        let answer = ask(&server, question);
        assert_eq!((answer["grounded"].as_bool(), &answer["sources"]), (Some(false), &json!([])));
        assert!(answer["answer"].as_str().unwrap().contains("could not find"), "{answer}");
    }
}

#[test]
fn a_conversation_is_remembered_and_continued() {
    let server = Server::start().unwrap();
    let first = ask(&server, "Who presented the gram of radium to her in 1921?");
    let id = first["session_id"].as_str().unwrap();
    let next = json!({"question": "And where was that?", "session_id": id});
    let answer = server.post("/api/v1/chat", &next).unwrap().json();
    assert_eq!(answer["session_id"], id);
    assert!(answer["answer"].as_str().unwrap().contains("White House"), "{answer}");
}

#[test]
fn filters_hold() {
    let server = Server::start().unwrap();
    let request = json!({"query": "prize", "top_k": 20, "filter": {"doc_type": "travel"}});
    let hits = server.post("/search", &request).unwrap().json();
    let hits = hits["hits"].as_array().unwrap();
    assert!(!hits.is_empty() && hits.iter().all(|hit| hit["source"] == "journeys.md"), "{hits:?}");
}

#[test]
fn a_stream_is_metadata_then_tokens_then_done() {
    let server = Server::start().unwrap();
    for question in
        ["When did she defend her doctoral thesis?", "What is the capital of Australia?"]
    {
        let reply = server.post("/chat/stream", &json!({"question": question})).unwrap();
        assert_eq!((reply.status, kind(&reply)), (200, "text/event-stream; charset=utf-8"));
        let events: Vec<(&str, &str)> = reply.body.trim_end().split("\n\n").map(event).collect();
        let names: Vec<&str> = events.iter().map(|(name, _)| *name).collect();
        let (first, last) = (names[0], names[names.len() - 1]);
        assert_eq!((first, last), ("metadata", "done"), "{}", reply.body);
        let tokens = &events[1..events.len() - 2];
        assert_eq!(names[names.len() - 2], "result", "{}", reply.body);
        assert!(tokens.len() > 1 && tokens.iter().all(|(name, _)| *name == "token"));
        let text: String =
            tokens.iter().map(|(_, data)| serde_json::from_str::<String>(data).unwrap()).collect();
        assert_eq!(text, ask(&server, question)["answer"].as_str().unwrap());
        let metadata: Value = serde_json::from_str(events[0].1).unwrap();
        assert!(metadata["sources"].is_array() && metadata["session_id"].is_string());
    }
}

/// Parses an event, which must be an `event:` line and one `data:` line.
fn event(text: &str) -> (&str, &str) {
    let (name, data) = text.split_once('\n').unwrap();
    assert!(!data.contains('\n'), "{text}");
    (
        name.strip_prefix("event: ").unwrap(),
        data.strip_prefix("data: ").unwrap_or_else(|| {
            assert_eq!(data, "data:", "{text}");
            ""
        }),
    )
}

fn kind(reply: &Reply) -> &str {
    reply.headers.get("content-type").map_or("", String::as_str)
}

#[test]
fn health_reports_from_real_probes() {
    let server = Server::start().unwrap();
    for path in ["/health", "/api/v1/health", "/health/live", "/health/ready"] {
        let reply = server.get(path).unwrap();
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
    }
    let detailed = server.get("/health/detailed").unwrap().json();
    assert_eq!(detailed["status"], "healthy", "{detailed}");
    assert_eq!(detailed["components"]["store"], "healthy");
    assert!(
        detailed["chunks"].as_u64().unwrap() >= 80 && detailed["documents"].as_u64().unwrap() >= 10
    );
}

/// The application with Groq at an address of this machine.
fn with_groq(base: &str) -> Server {
    let host = base.trim_end_matches("/openai/v1");
    let variables =
        [("groq_api_key", "gsk_of_a_test"), ("groq_base_url", base), ("llm_host", host)];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Server::start_with(ServerOptions { variables, ..ServerOptions::default() }).unwrap()
}

#[test]
fn health_tells_whether_a_model_would_answer() {
    let groq = Groq::start().unwrap();
    let server = with_groq(&groq.base());
    for path in ["/health/llm", "/api/v1/health/llm"] {
        let reply = server.get(path).unwrap();
        let known = reply.json();
        assert_eq!((reply.status, known["status"].as_str()), (200, Some("available")), "{known}");
        assert_eq!(known["provider"], "groq");
        assert_eq!(known["fallback_provider"], Value::Null);
        assert!(known["is_hot"].is_boolean() && known.get("error").is_none(), "{known}");
    }
    assert_eq!(server.get("/health").unwrap().json()["model"], "openai/gpt-oss-20b");
    let detailed = server.get("/health/detailed").unwrap().json();
    assert_eq!(detailed["components"]["llm"], "healthy", "{detailed}");
    let metrics = server.get("/metrics").unwrap().body;
    for line in ["rag_circuit_breaker_state{name=\"groq\"} 0", "rag_sessions_active 0"] {
        assert!(metrics.lines().any(|it| it == line), "{line}: {metrics}");
    }
    // No completion was asked for: looking costs nothing.
    assert!(groq.received().is_empty());
}

#[test]
fn health_tells_of_a_provider_that_is_gone() {
    // Nobody listens on a port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = with_groq(&format!("http://{free}/openai/v1"));
    let reply = server.get("/health/llm").unwrap();
    let known = reply.json();
    assert_eq!((reply.status, known["status"].as_str()), (503, Some("error")), "{known}");
    assert_eq!(known["error"], "the provider cannot be reached");
    let head = server.send("HEAD", "/health/llm", &[], "").unwrap();
    assert_eq!((head.status, head.body.as_str()), (503, ""));
    // Answers quote the documents meanwhile, so questions are answered.
    assert_eq!(server.get("/health/ready").unwrap().status, 200);
    let reply = server.get("/health/detailed").unwrap();
    let detailed = reply.json();
    assert_eq!((reply.status, detailed["status"].as_str()), (200, Some("degraded")), "{detailed}");
    assert_eq!(detailed["degraded"], json!(["llm"]));
}

#[test]
fn health_tells_of_a_configuration_that_has_to_be_mended() {
    let variables = [("llm_providers".to_owned(), "nobody".to_owned())].into();
    let server =
        Server::start_with(ServerOptions { variables, ..ServerOptions::default() }).unwrap();
    for (path, status) in [
        ("/health", 200),
        ("/health/live", 200),
        ("/health/ready", 503),
        ("/health/detailed", 503),
        ("/health/llm", 503),
    ] {
        let reply = server.get(path).unwrap();
        assert_eq!(reply.status, status, "{path}: {}", reply.body);
        assert!(!reply.body.contains("nobody"), "{path}: {}", reply.body);
    }
}

#[test]
fn the_page_and_its_files_are_served() {
    let server = Server::start().unwrap();
    let page = server.get("/").unwrap();
    assert_eq!((page.status, kind(&page)), (200, "text/html; charset=utf-8"));
    assert!(page.headers["content-security-policy"].contains("script-src 'self'"));
    assert_eq!(kind(&server.get("/app.js").unwrap()), "text/javascript; charset=utf-8");
}

#[test]
fn bad_requests_get_problems_that_name_the_thing() {
    let server = Server::start().unwrap();
    let json_type = [("content-type", "application/json")];
    let long = format!("{{\"question\": \"{}\"}}", "x".repeat(40_000));
    let cases: &[(&str, &str, &str, u16, &str, &str)] = &[
        ("POST", "/chat", "{\"question\": ", 400, "bad_json", "EOF"),
        ("POST", "/chat", "", 400, "bad_json", "EOF"),
        ("POST", "/chat", "\u{feff}[]", 400, "bad_json", "expected"),
        (
            "POST",
            "/chat",
            "{\"question\": 7}",
            422,
            "validation_failed",
            "question must be a string, got a number",
        ),
        ("POST", "/chat", "{}", 422, "validation_failed", "question is missing"),
        (
            "POST",
            "/chat?temperature=3",
            "{\"question\": \"abc\"}",
            422,
            "validation_failed",
            "temperature must be 0 to 2",
        ),
        ("POST", "/chat", "{\"question\": \"hi\"}", 422, "validation_failed", "3 to 2000"),
        ("POST", "/chat/stream", "{\"question\": \"\"}", 422, "validation_failed", "got 0"),
        (
            "POST",
            "/search",
            "{\"query\": \"abc\", \"top_k\": 99}",
            422,
            "validation_failed",
            "1 to 20",
        ),
        (
            "POST",
            "/chat",
            "{\"question\": \"abc\", \"session_id\": \"../x\"}",
            422,
            "validation_failed",
            "session_id",
        ),
        ("POST", "/chat", &long, 413, "too_large", "32768"),
        ("GET", "/chat", "", 405, "method_not_allowed", "use POST"),
        ("PUT", "/api/v1/search", "{}", 405, "method_not_allowed", "use POST"),
        ("DELETE", "/health", "", 405, "method_not_allowed", "use GET, HEAD"),
        ("POST", "/", "", 405, "method_not_allowed", "use GET, HEAD"),
        ("GET", "/nowhere", "", 404, "not_found", "/nowhere"),
        ("GET", "/health/nowhere", "", 404, "not_found", "/health/nowhere"),
        ("GET", "/../../etc/passwd", "", 404, "not_found", "no such route"),
    ];
    for (method, path, body, status, code, words) in cases {
        let reply = server.send(method, path, &json_type, *body).unwrap();
        let problem = reply.json();
        assert_eq!(reply.status, *status, "{method} {path}: {}", reply.body);
        assert_eq!(kind(&reply), "application/problem+json", "{method} {path}");
        assert_eq!(
            (problem["error_code"].as_str(), problem["status"].as_u64()),
            (Some(*code), Some(u64::from(*status)))
        );
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
        assert_eq!(reply.headers["x-content-type-options"], "nosniff");
        assert_eq!(
            problem["request_id"].as_str(),
            reply.headers.get("x-request-id").map(String::as_str)
        );
    }
    // And the service still answers.
    assert_eq!(ask(&server, "Where was Marie Curie born?")["grounded"], true);
}

#[test]
fn a_request_id_is_echoed_if_it_is_well_formed() {
    let server = Server::start().unwrap();
    let id = |given: &str| {
        let reply = server.send("GET", "/health", &[("x-request-id", given)], "").unwrap();
        reply.headers["x-request-id"].clone()
    };
    assert_eq!(id("abc-1.2_3"), "abc-1.2_3");
    assert_ne!(id("a b"), "a b");
}

#[test]
fn pages_of_allowed_sites_can_read_every_reply_and_others_none() {
    let (key, site) = (("x-api-key", "k"), ("origin", "https://a.site.example"));
    let variables = [("api_keys", "k"), ("allowed_origins", "https://*.site.example")];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let server =
        Server::start_with(ServerOptions { variables, ..ServerOptions::default() }).unwrap();
    let body = json!({"question": "Where was Marie Curie born?"}).to_string();
    let preflight = ("access-control-request-method", "POST");
    let evil = ("origin", "https://evil.example");
    type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], u16);
    let cases: &[Case<'_>] = &[
        ("POST", "/chat", &[site, key], 200),
        ("POST", "/chat", &[site], 401),
        ("GET", "/chat", &[site], 405),
        ("GET", "/nowhere", &[site], 404),
        ("GET", "/health", &[site], 200),
        ("HEAD", "/health", &[site], 200),
        ("HEAD", "/", &[site], 200),
        ("OPTIONS", "/chat/stream", &[site, preflight], 204),
        ("OPTIONS", "/", &[site, preflight], 204),
        ("POST", "/chat", &[evil, key], 403),
        ("GET", "/health", &[evil], 200),
        ("OPTIONS", "/chat", &[evil, preflight], 403),
        ("OPTIONS", "/chat", &[], 204),
    ];
    for (method, path, headers, status) in cases {
        let reply = server.send(method, path, headers, body.clone()).unwrap();
        assert_eq!(reply.status, *status, "{method} {path}: {}", reply.body);
        let shared = headers.contains(&site).then_some("https://a.site.example");
        let granted = reply.headers.get("access-control-allow-origin").map(String::as_str);
        assert_eq!(granted, shared, "{method} {path}");
        assert_eq!(reply.headers["vary"], "origin");
        for name in ["strict-transport-security", "x-content-type-options", "x-request-id"] {
            assert!(reply.headers.contains_key(name), "{method} {path}: {name}");
        }
        assert!(*method != "HEAD" || reply.body.is_empty());
    }
}

#[test]
fn visitors_of_a_public_page_need_no_key() {
    let variables = [("api_keys", "k"), ("public_pages", "yes")];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let server =
        Server::start_with(ServerOptions { variables, ..ServerOptions::default() }).unwrap();
    let body = json!({"question": "Where was Marie Curie born?"}).to_string();
    let page = server.base();
    let ask = |headers: &[(&str, &str)]| {
        server.send("POST", "/chat", headers, body.clone()).unwrap().status
    };
    assert_eq!(ask(&[("origin", page.as_str())]), 200);
    assert_eq!(ask(&[]), 401);
    assert_eq!(ask(&[("origin", "https://evil.example")]), 403);
}

#[test]
fn metrics_are_for_those_who_have_the_token() {
    let server = Server::start().unwrap();
    for path in ["/metrics", "/api/v1/metrics"] {
        let reply = server.get(path).unwrap();
        assert_eq!((reply.status, kind(&reply)), (200, "text/plain; version=0.0.4; charset=utf-8"));
        for line in ["# TYPE rag_index_chunks gauge", "rag_store_up 1"] {
            assert!(reply.body.lines().any(|it| it == line), "{line}: {}", reply.body);
        }
    }
    let variables = [("metrics_token".to_owned(), "s3cret".to_owned())].into();
    let server =
        Server::start_with(ServerOptions { variables, ..ServerOptions::default() }).unwrap();
    let status =
        |headers: &[(&str, &str)]| server.send("GET", "/metrics", headers, "").unwrap().status;
    assert_eq!(status(&[]), 401);
    assert_eq!(status(&[("authorization", "Bearer wrong")]), 401);
    assert_eq!(status(&[("authorization", "Basic s3cret")]), 401);
    assert_eq!(status(&[("authorization", "Bearer s3cret")]), 200);
    assert_eq!(server.get("/health").unwrap().status, 200);
}

#[test]
fn a_trace_is_continued() {
    let server = Server::start().unwrap();
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736";
    let given = format!("{trace}-00f067aa0ba902b7-01");
    let parent = |given: &str| {
        let reply = server.send("GET", "/health", &[("traceparent", given)], "").unwrap();
        reply.headers["traceparent"].clone()
    };
    let named = parent(&given);
    assert!(named.starts_with(trace) && named.ends_with("-01") && named != given, "{named}");
    assert!(!parent("00-junk").contains("junk"));
}

#[test]
fn with_keys_configured_one_must_be_sent() {
    let variables = [("api_keys".to_owned(), "old-key,new-key".to_owned())].into();
    let server =
        Server::start_with(ServerOptions { variables, ..ServerOptions::default() }).unwrap();
    let body = json!({"question": "Where was Marie Curie born?"}).to_string();
    let status = |headers: &[(&str, &str)]| {
        server.send("POST", "/chat", headers, body.clone()).unwrap().status
    };
    assert_eq!(status(&[]), 401);
    assert_eq!(status(&[("x-api-key", "wrong")]), 401);
    assert_eq!(status(&[("x-api-key", "new-key")]), 200);
    assert_eq!(status(&[("authorization", "Bearer old-key")]), 200);
    assert_eq!(server.get("/health").unwrap().status, 200);
}
