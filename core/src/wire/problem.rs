//! Errors as `application/problem+json` (RFC 9457), with members for clients that read other names.

use serde::Serialize;

/// The body of every error.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Problem {
    /// A URI reference that names the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What happened and what to do.
    pub detail: String,
    /// Path of the request.
    pub instance: String,
    /// Stable name of the error.
    pub error_code: &'static str,
    /// Same as `detail`.
    pub message: String,
    /// The fields at fault, if any.
    pub details: Vec<FieldError>,
    /// Seconds since the Unix epoch.
    pub timestamp: u64,
    /// Names the request in the logs.
    pub request_id: String,
}

/// A field at fault.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct FieldError {
    /// Its name, such as `question`.
    pub field: String,
    /// What was expected and what was got.
    pub message: String,
}
