//! Everything that crosses a border as bytes: requests, replies, events, stored records.
//!
//! Shapes here are promises. Domain types have no serde; conversions are written by hand.

mod chat;
mod health;
mod json;
mod ledger;
mod pack;
mod problem;
mod record;
mod rerank;
mod search;

pub use self::{
    chat::{
        Ambiguity, ChatRequest, ChatResponse, ChatSource, StreamError, StreamFallback,
        StreamMetadata, StreamSources,
    },
    health::{Detailed, Health},
    json::read_json,
    ledger::{LedgerRecord, OffenderRecord, PlaceRecord},
    pack::{PackChunk, PackDocument, PackHeader, PackModel, PackPointer, PackSection},
    problem::{FieldError, Problem},
    record::{AnswerRecord, SessionRecord, TurnRecord},
    rerank::{RerankDocument, RerankRequest, RerankResponse, RerankResult},
    search::{SearchHit, SearchRequest, SearchResponse},
};
