//! The answer: what a model is asked, what becomes of its words on their way out, and what is said
//! without one.

mod citation;
mod claim;
mod events;
mod extract;
mod known;
mod markup;
mod number;
mod passage;
pub mod prompt;
mod references;
mod refusal;
mod settings;
mod support;
mod whose;
mod word;
mod writer;

pub use self::{
    events::{Event, OutOfOrder, Sequence, fragments},
    extract::{Extract, extract},
    passage::Passage,
    refusal::{REFUSAL, is_refusal, refusal},
    settings::{CitationPolicy, Settings},
    support::{Basis, Judgement, Standing},
    writer::{Released, Report, Stated, UNCONFIRMED, Writer},
};
