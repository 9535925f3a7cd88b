//! What commands say, and how they end: an exit code with a message.

use std::{fmt, io, io::Write as _};

/// Prints a line. A reader who has seen enough (`dossier search … | head`) ends the command well.
macro_rules! say {
    ($($text:tt)*) => { crate::output::line(format_args!($($text)*)) };
}
pub(crate) use say;

/// Writes what [`say!`] formats.
pub(crate) fn line(text: fmt::Arguments<'_>) {
    let mut out = io::stdout().lock();
    if let Err(error) = writeln!(out, "{text}").and_then(|()| out.flush()) {
        let gone = error.kind() == io::ErrorKind::BrokenPipe;
        std::process::exit(if gone { 0 } else { FAILED.into() });
    }
}

/// Where a passage stands, as a person would say it: `cv.pdf, page 2 › Awards`.
pub(crate) fn place(source: &str, page: Option<u32>, heading: &[String]) -> String {
    let page = page.map(|page| format!(", page {page}")).unwrap_or_default();
    let headings = heading.iter().map(|it| format!(" › {it}")).collect::<String>();
    format!("{source}{page}{headings}")
}

/// Something failed while it was being done.
pub(crate) const FAILED: u8 = 1;
/// The arguments are wrong, or there is nothing to do it with.
pub(crate) const USAGE: u8 = 2;
/// No source of the model could be reached.
pub(crate) const NO_MODEL: u8 = 3;

/// Why a command did not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The process's exit code.
    pub(crate) code: u8,
    /// What to print.
    pub(crate) error: anyhow::Error,
}

impl Failure {
    /// Wrong arguments, or nothing to work on.
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { code: USAGE, error: error.into() }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { code: FAILED, error: error.into() }
    }
}

/// What every command returns.
pub(crate) type Outcome = Result<(), Failure>;
