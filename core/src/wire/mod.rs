//! Everything that crosses a border as bytes: requests, replies, events, stored records.
//!
//! Shapes here are promises. Domain types have no serde; conversions are written by hand.

mod chat;
mod health;
mod llm;
mod openai;
mod pack;
mod problem;
mod record;
mod rerank;
mod search;

pub use self::{
    chat::{Ambiguity, ChatRequest, ChatResponse, ChatSource, StreamMetadata},
    health::{Detailed, Health},
    llm::{BreakerRecord, LlmProviderRecord, LlmRecord, WindowRecord},
    openai::{
        ProviderChoice, ProviderGroq, ProviderMessage, ProviderPromptDetails, ProviderReply,
        ProviderRequest, ProviderStreamOptions, ProviderText, ProviderUsage,
    },
    pack::{PackChunk, PackDocument, PackHeader, PackModel, PackPointer, PackSection},
    problem::{FieldError, Problem},
    record::{SessionRecord, TurnRecord},
    rerank::{RerankDocument, RerankRequest, RerankResponse, RerankResult},
    search::{SearchHit, SearchRequest, SearchResponse},
};
