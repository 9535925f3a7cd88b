//! Everything that crosses a border as bytes: requests, replies, events, stored records.
//!
//! Shapes here are promises. Domain types have no serde; conversions are written by hand.

mod availability;
mod chat;
mod completions;
mod feedback;
mod health;
mod json;
mod ledger;
mod llm;
mod log;
mod mcp;
mod metrics;
mod openai;
mod pack;
mod pattern;
mod problem;
mod record;
mod rerank;
mod search;

pub use self::{
    availability::{AvailabilityRecord, FindingRecord},
    chat::{
        Ambiguity, ChatRequest, ChatResponse, ChatSource, StreamError, StreamFallback,
        StreamMetadata, StreamResult, StreamSources,
    },
    completions::{
        ChunkChoice, ChunkDelta, CompletionAnswer, CompletionChoice, CompletionChunk,
        CompletionError, CompletionFault, CompletionMessage, CompletionReply, CompletionRequest,
        CompletionUsage, ContentPart, MessageContent, ModelEntry, ModelList, StreamOptions,
    },
    feedback::{FeedbackEntry, FeedbackPage, FeedbackReceipt, FeedbackRequest},
    health::{Detailed, Health, LlmHealth},
    json::read_json,
    ledger::{LedgerRecord, OffenderRecord, PlaceRecord},
    llm::{BreakerRecord, LlmProviderRecord, LlmRecord, WindowRecord},
    log::{CallsRecord, LogRecord, StepRecord},
    mcp::{AskArguments, RpcError, RpcFault, RpcResult, SearchArguments, ToolReply, ToolText},
    metrics::{Families, SeatRecord},
    openai::{
        ProviderChoice, ProviderGroq, ProviderMessage, ProviderPromptDetails, ProviderReply,
        ProviderRequest, ProviderStreamOptions, ProviderText, ProviderUsage,
    },
    pack::{PackChunk, PackDocument, PackHeader, PackModel, PackPointer, PackSection, Subject},
    pattern::{
        ExampleRecord, MatchingRecord, PatternFile, PatternRecord, RewriteMetadata, RuleRecord,
        StrategyRecord,
    },
    problem::{FieldError, Problem},
    record::{AnswerRecord, SessionRecord, TurnRecord},
    rerank::{RerankDocument, RerankRequest, RerankResponse, RerankResult},
    search::{SearchHit, SearchRequest, SearchResponse},
};
