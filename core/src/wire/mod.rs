//! Everything that crosses a border as bytes: requests, replies, events, stored records.
//!
//! Shapes here are promises. Domain types have no serde; conversions are written by hand.

mod chat;
mod feedback;
mod health;
mod pack;
mod problem;
mod record;
mod rerank;
mod search;

pub use self::{
    chat::{Ambiguity, ChatRequest, ChatResponse, ChatSource, StreamMetadata},
    feedback::{FeedbackEntry, FeedbackPage, FeedbackReceipt, FeedbackRequest},
    health::{Detailed, Health},
    pack::{PackChunk, PackDocument, PackHeader, PackModel, PackPointer, PackSection},
    problem::{FieldError, Problem},
    record::{SessionRecord, TurnRecord},
    rerank::{RerankDocument, RerankRequest, RerankResponse, RerankResult},
    search::{SearchHit, SearchRequest, SearchResponse},
};
