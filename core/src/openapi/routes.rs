//! The routes, in the order to read: what each takes and what it answers.

/// What one method of one path does.
pub(super) struct Route {
    pub(super) tag: &'static str,
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// Names the operation in generated clients.
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
    /// Who may call it.
    pub(super) access: Access,
    pub(super) parameters: &'static [Parameter],
    /// Schema and example of the body.
    pub(super) body: Option<(&'static str, &'static str)>,
    pub(super) answers: &'static [Answer],
    /// Statuses of errors.
    pub(super) errors: &'static [u16],
    /// The shape of errors.
    pub(super) dialect: Dialect,
}

/// Who may call a route.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Access {
    /// Everybody.
    Open,
    /// Whoever has an API key, where keys are configured.
    Key,
    /// The owner, with the administrator's key.
    Owner,
}

/// The shape of errors.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Dialect {
    /// `application/problem+json`.
    Problem,
    /// OpenAI's.
    Completion,
}

/// A parameter in the query, or in the path where that has its name in braces: name, schema as JSON,
/// what it means.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) schema: &'static str,
    pub(super) description: &'static str,
}

/// A status that is no error.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) description: &'static str,
    pub(super) content: &'static [Content],
}

/// The content of an answer.
pub(super) enum Content {
    /// JSON of a schema.
    Json(&'static str),
    /// Server-sent events: name (empty for `data:` alone), schema of the data (empty: no data;
    /// `string`: a JSON string), what it means.
    Events(&'static [(&'static str, &'static str, &'static str)]),
    /// Something else, by its content type.
    Text(&'static str),
}

/// The groups, in order, with what they are.
pub(super) const TAGS: &[(&str, &str)] = &[
    ("Chat", "Questions and answers, and the passages behind them."),
    ("OpenAI", "The same answers for clients that were written for OpenAI's API."),
    ("Protocol", "The same answers as tools of the Model Context Protocol, for assistants."),
    ("Feedback", "What visitors thought of answers."),
    ("Health", "Whether the service runs, and how well."),
    ("About", "This description."),
];

/// What every route with a body may refuse.
const ASKED: &[u16] = &[400, 401, 403, 413, 421, 422, 429, 503];

const CHAT_EXAMPLE: &str = r#"{"question": "Where was Marie Curie born?"}"#;

const EVENTS: &[(&str, &str, &str)] = &[
    ("metadata", "StreamMetadata", "First of every stream: the sources, and what is known so far."),
    ("fallback", "StreamFallback", "Another provider answers than the first one, if so."),
    ("thinking", "string", "A piece of the model's reasoning, where it was asked for."),
    ("thinking_done", "", "The reasoning is over, if there was any."),
    ("token", "string", "A piece of the answer. All of them in a row are the answer."),
    ("sources_reorder", "StreamSources", "The sources in the order of first citation."),
    ("result", "StreamResult", "What is known of the answer only now that it is complete."),
    ("done", "", "The answer is complete and a follow-up will know of it."),
    ("error", "StreamError", "The answer broke off. Nothing follows."),
];

const CHUNKS: &[(&str, &str, &str)] = &[
    ("", "CompletionChunk", "A piece of the answer; the last one carries `citations`."),
    ("", "CompletionError", "The answer broke off. Nothing follows."),
    ("", "", "`[DONE]`: the answer is complete."),
];

/// A route that anybody gets.
const GET: Route = Route {
    tag: "",
    method: "get",
    path: "",
    id: "",
    summary: "",
    description: "",
    access: Access::Open,
    parameters: &[],
    body: None,
    answers: &[],
    errors: &[],
    dialect: Dialect::Problem,
};

/// A route that is asked something, with a key.
const POST: Route = Route { method: "post", access: Access::Key, errors: ASKED, ..GET };

/// Every route.
pub(super) const ROUTES: &[Route] = &[
    Route {
        tag: "Chat",
        path: "/chat",
        id: "chat",
        summary: "Ask a question",
        description: "Answers from the documents, with a citation behind each statement, or says \
            that they do not answer it. The status is 200 either way: see `grounded`. Send \
            `session_id` back to ask a follow-up.",
        body: Some(("ChatRequest", CHAT_EXAMPLE)),
        answers: &[Answer {
            status: 200,
            description: "The answer, a refusal, or a question back.",
            content: &[Content::Json("ChatResponse")],
        }],
        ..POST
    },
    Route {
        tag: "Chat",
        path: "/chat/stream",
        id: "chatStream",
        summary: "Ask a question, read the answer as it is written",
        description: "As `/chat`, as server-sent events with one `data:` line each. A stream ends \
            with `done` or with `error`, and with nothing else.",
        body: Some(("ChatRequest", CHAT_EXAMPLE)),
        answers: &[Answer {
            status: 200,
            description: "The events.",
            content: &[Content::Events(EVENTS)],
        }],
        ..POST
    },
    Route {
        tag: "Chat",
        path: "/chat/simple",
        id: "chatSimple",
        summary: "Ask a single question",
        description: "As `/chat`, without a conversation: nothing is remembered and no earlier \
            question counts.",
        body: Some(("ChatRequest", CHAT_EXAMPLE)),
        answers: &[Answer {
            status: 200,
            description: "The answer, a refusal, or a question back.",
            content: &[Content::Json("ChatResponse")],
        }],
        ..POST
    },
    Route {
        tag: "Chat",
        path: "/search",
        id: "search",
        summary: "Find passages",
        description: "The passages that come closest to a query, best first, with the parts that \
            their scores are made of.",
        body: Some(("SearchRequest", r#"{"query": "doctoral thesis", "top_k": 3}"#)),
        answers: &[Answer {
            status: 200,
            description: "The passages; none, where nothing fits.",
            content: &[Content::Json("SearchResponse")],
        }],
        ..POST
    },
    Route {
        tag: "OpenAI",
        path: "/v1/chat/completions",
        id: "createChatCompletion",
        summary: "Ask a question, as OpenAI's clients do",
        description: "Answers the last question of the conversation that is sent; nothing is kept \
            between two requests. `system` messages are accepted and not obeyed, tools are not \
            called. With `stream` the answer comes in chunks.",
        body: Some((
            "CompletionRequest",
            r#"{"model": "dossier", "messages": [{"role": "user", "content": "Where was Marie Curie born?"}]}"#,
        )),
        answers: &[Answer {
            status: 200,
            description: "The answer, whole or in chunks.",
            content: &[Content::Json("CompletionReply"), Content::Events(CHUNKS)],
        }],
        dialect: Dialect::Completion,
        ..POST
    },
    Route {
        tag: "OpenAI",
        path: "/v1/models",
        id: "listModels",
        summary: "List the models",
        description: "`dossier` stands for whichever model is configured; the others can be asked \
            for by name.",
        access: Access::Key,
        answers: &[Answer {
            status: 200,
            description: "The models.",
            content: &[Content::Json("ModelList")],
        }],
        errors: &[401, 403, 421, 503],
        dialect: Dialect::Completion,
        ..GET
    },
    Route {
        tag: "OpenAI",
        path: "/v1/models/{model}",
        id: "retrieveModel",
        summary: "Look up a model",
        description: "One of the list, by its name.",
        access: Access::Key,
        parameters: &[Parameter {
            name: "model",
            schema: r#"{"type": "string", "minLength": 1}"#,
            description: "The model's `id`; slashes in it may stand as they are.",
        }],
        answers: &[Answer {
            status: 200,
            description: "The model.",
            content: &[Content::Json("ModelEntry")],
        }],
        errors: &[401, 403, 404, 421, 503],
        dialect: Dialect::Completion,
        ..GET
    },
    Route {
        tag: "Protocol",
        path: "/mcp",
        id: "mcp",
        summary: "Model Context Protocol, streamable HTTP",
        description: "JSON-RPC 2.0 with the tools `ask` and `search_documents`. Speaks revision \
            2026-07-28, whose requests stand alone, and 2025-11-25, 2025-06-18, 2025-03-26 and \
            2024-11-05 after `initialize`. There are no sessions, no streams from the server, and \
            nothing to `GET`.",
        body: Some(("RpcMessage", r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}"#)),
        answers: &[
            Answer {
                status: 200,
                description: "The answer to the message, or to each of a batch.",
                content: &[Content::Json("RpcAnswer")],
            },
            Answer { status: 202, description: "The message wants no answer.", content: &[] },
            Answer {
                status: 400,
                description: "The body is no message, or its head says something else than its \
                    body.",
                content: &[Content::Json("RpcError")],
            },
            Answer {
                status: 404,
                description: "There is no such method (revision 2026-07-28).",
                content: &[Content::Json("RpcError")],
            },
        ],
        errors: &[401, 403, 413, 421, 429, 503],
        ..POST
    },
    Route {
        tag: "Feedback",
        path: "/feedback",
        id: "giveFeedback",
        summary: "Say whether an answer helped",
        description: "Once for each message: a second vote for the same message takes the place of \
            the first and has its id.",
        body: Some((
            "FeedbackRequest",
            r#"{"session_id": "s-1", "message_id": "m-1", "thumbs_up": true}"#,
        )),
        answers: &[
            Answer {
                status: 200,
                description: "An earlier vote was replaced.",
                content: &[Content::Json("FeedbackReceipt")],
            },
            Answer {
                status: 201,
                description: "The vote is recorded.",
                content: &[Content::Json("FeedbackReceipt")],
            },
        ],
        ..POST
    },
    Route {
        tag: "Feedback",
        path: "/feedback",
        id: "listFeedback",
        summary: "List the votes",
        description: "For the owner: newest first, page by page.",
        access: Access::Owner,
        parameters: &[
            Parameter {
                name: "limit",
                schema: r#"{"type": "integer", "minimum": 1, "maximum": 100, "default": 20}"#,
                description: "Votes on a page.",
            },
            Parameter {
                name: "cursor",
                schema: r#"{"type": "string"}"#,
                description: "`next_cursor` of the page before.",
            },
            Parameter {
                name: "thumbs_up",
                schema: r#"{"type": "boolean"}"#,
                description: "Only votes of this kind.",
            },
        ],
        answers: &[Answer {
            status: 200,
            description: "A page.",
            content: &[Content::Json("FeedbackPage")],
        }],
        errors: &[401, 403, 422, 503],
        ..GET
    },
    Route {
        tag: "Health",
        path: "/health",
        id: "health",
        summary: "Whether the service runs",
        description: "Looks at nothing but itself.",
        answers: &[Answer {
            status: 200,
            description: "It runs.",
            content: &[Content::Json("Health")],
        }],
        ..GET
    },
    Route {
        tag: "Health",
        path: "/health/live",
        id: "healthLive",
        summary: "Whether the process is alive",
        description: "For a supervisor that restarts what does not answer.",
        answers: &[Answer {
            status: 200,
            description: "It is.",
            content: &[Content::Json("Health")],
        }],
        ..GET
    },
    Route {
        tag: "Health",
        path: "/health/ready",
        id: "healthReady",
        summary: "Whether questions can be answered",
        description: "For a balancer that sends visitors elsewhere meanwhile.",
        answers: &[
            Answer { status: 200, description: "They can.", content: &[Content::Json("Health")] },
            Answer {
                status: 503,
                description: "There is no index yet.",
                content: &[Content::Json("Health")],
            },
        ],
        ..GET
    },
    Route {
        tag: "Health",
        path: "/health/detailed",
        id: "healthDetailed",
        summary: "How each part is",
        description: "Store, index, encoder and provider, each by itself.",
        answers: &[
            Answer {
                status: 200,
                description: "Questions are answered, if with less than everything.",
                content: &[Content::Json("Detailed")],
            },
            Answer {
                status: 503,
                description: "They are not.",
                content: &[Content::Json("Detailed")],
            },
        ],
        ..GET
    },
    Route {
        tag: "Health",
        path: "/health/llm",
        id: "healthLlm",
        summary: "Whether a model would answer",
        description: "From what questions have met, and from a list of models that each provider is \
            asked for at most once in half a minute, which costs no tokens.",
        answers: &[
            Answer {
                status: 200,
                description: "A provider answers, or the documents are quoted without one.",
                content: &[Content::Json("LlmHealth")],
            },
            Answer {
                status: 503,
                description: "No provider answers; questions are answered by quoting.",
                content: &[Content::Json("LlmHealth")],
            },
        ],
        ..GET
    },
    Route {
        tag: "Health",
        path: "/metrics",
        id: "metrics",
        summary: "Counters and durations",
        description: "Of all instances together, as Prometheus reads them. Where `metrics_token` \
            is configured, it must be sent as a bearer token.",
        answers: &[Answer {
            status: 200,
            description: "The metrics.",
            content: &[Content::Text("text/plain; version=0.0.4; charset=utf-8")],
        }],
        errors: &[401, 503],
        ..GET
    },
    Route {
        tag: "About",
        path: "/openapi.json",
        id: "openapi",
        summary: "This description, for programs",
        description: "OpenAPI 3.1.",
        answers: &[Answer {
            status: 200,
            description: "The description.",
            content: &[Content::Text("application/json")],
        }],
        ..GET
    },
    Route {
        tag: "About",
        path: "/docs",
        id: "docs",
        summary: "This description, for people",
        description: "A page that asks no other host for anything.",
        answers: &[Answer {
            status: 200,
            description: "The page.",
            content: &[Content::Text("text/html; charset=utf-8")],
        }],
        ..GET
    },
];
