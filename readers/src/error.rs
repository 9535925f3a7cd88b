//! Why a file was not read.

use crate::{Format, limits::MAX_FILE_BYTES};

/// Why a file was not read, and what to do about it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file is not what its format demands; most often it was cut short.
    #[error("damaged {format}: {reason}; get the file again or export it anew")]
    Damaged {
        /// The format it claims.
        format: Format,
        /// What is wrong.
        reason: String,
    },
    /// There is no text in it.
    #[error("{format} without text: nothing to index")]
    Empty {
        /// Its format.
        format: Format,
    },
    /// The content is of another format than the name says, and not one that is read.
    #[error("named {ending}, but its content is {found}; save it as {expected}")]
    Mismatch {
        /// The name's ending, with its dot.
        ending: String,
        /// What the content looks like.
        found: &'static str,
        /// What to save it as.
        expected: &'static str,
    },
    /// A password is needed to read it.
    #[error("{format} locked with a password; save a copy without one")]
    Locked {
        /// Its format.
        format: Format,
    },
    /// Pages without a letter: pictures of text.
    #[error(
        "scanned PDF: no text on its {pages} page(s); run text recognition over it first (for example ocrmypdf)"
    )]
    Scanned {
        /// Number of pages.
        pages: usize,
    },
    /// It is well-formed, but not what can be read as a document.
    #[error("{format} of another kind: {reason}")]
    Shape {
        /// Its format.
        format: Format,
        /// What was expected, and got.
        reason: String,
    },
    /// It is larger than a limit of [`crate::limits`].
    #[error("too large: more than {limit} {unit}; split it")]
    TooLarge {
        /// The limit.
        limit: usize,
        /// What is counted.
        unit: &'static str,
    },
    /// No reader for such names.
    #[error("unsupported ending {ending:?}")]
    Unsupported {
        /// The name's ending, without its dot; empty where there is none.
        ending: String,
    },
}

impl ReadError {
    pub(crate) fn damaged(format: Format, reason: impl std::fmt::Display) -> Self {
        Self::Damaged { format, reason: reason.to_string() }
    }

    pub(crate) const FILE_TOO_LARGE: Self =
        Self::TooLarge { limit: MAX_FILE_BYTES >> 20, unit: "MiB" };
}
