//! Reports of a measurement, one file a form.

pub(crate) mod html;
pub(crate) mod markdown;
mod plots;
mod tables;
pub(crate) mod text;
