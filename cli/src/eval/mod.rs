//! Evaluation: collections of cases, what is measured on them, and reports of it.

mod ablation;
mod answer;
pub(crate) mod baseline;
mod beir;
mod bootstrap;
mod cache;
pub(crate) mod case;
pub(crate) mod collection;
mod dataset;
pub(crate) mod evidence;
pub(crate) mod floors;
mod grounding;
mod measure;
mod metrics;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod stage;
pub(crate) mod summary;
