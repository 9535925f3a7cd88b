//! Defences: against orders hidden in questions and in documents, and against what must not get out
//! in an answer or a log.
//!
//! A question passes [`inspect`], and where there is an encoder [`semantic()`] reads its meaning and
//! [`join`] weighs both; where Prompt Guard is configured its [`Signal`] joins in
//! [`decide`]. A passage passes [`prepare`] on its way into a prompt. Each sentence of an answer
//! passes [`Output::check`], each log line [`redact()`]. Nothing here waits for another service but
//! [`Remote`], whose failure is no signal.

mod classifier;
mod decode;
mod documents;
mod input;
mod lexicon;
mod output;
mod patterns;
mod personal;
mod redact;
mod remote;
mod semantic;
mod shingles;
#[cfg(any(feature = "training", test))]
pub mod training;
mod verdict;
mod views;
mod wordings;

pub use self::{
    documents::{DocumentPolicy, Prepared, neutralise, prepare, suspicious},
    input::{Inspection, inspect},
    output::{Checked, Finding, Output, PersonalPolicy},
    redact::redact,
    remote::{Remote, RemoteFault, Signal},
    semantic::{ENCODER, join, semantic},
    shingles::Shingles,
    verdict::{REDIRECT, Reason, Verdict, decide},
};
