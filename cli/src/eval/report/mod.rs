//! Reports of a measurement, one file a form.

pub(crate) mod tables;
pub(crate) mod text;
