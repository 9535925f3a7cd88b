//! Counters and histograms: what there is, what one instance has, what all have together.
//!
//! [`TABLE`] is the registry; a [`Snapshot`] holds numbers; a [`Meter`] is the snapshot that an
//! instance keeps and writes to the store; [`collect`] adds up what all instances wrote, and
//! [`render`] prints it for Prometheus.

mod exposition;
pub(super) mod labels;
mod meter;
mod metric;
mod snapshot;
mod store;
mod table;

pub use self::{
    exposition::{CONTENT_TYPE, Gauge, render},
    meter::{FLUSH_INTERVAL, Meter},
    metric::{Kind, Label, Metric, OTHER, Values},
    snapshot::{MAX_SERIES, Snapshot},
    store::{SEATS, collect},
    table::*,
};
