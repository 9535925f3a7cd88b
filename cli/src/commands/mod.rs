//! The commands, one a file: arguments and `run`.

pub(crate) mod ask;
pub(crate) mod doctor;
pub(crate) mod eval;
pub(crate) mod ingest;
pub(crate) mod model;
pub(crate) mod preinitialise;
pub(crate) mod search;
pub(crate) mod up;
pub(crate) mod warm;
