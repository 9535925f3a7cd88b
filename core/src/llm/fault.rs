//! Why a model gave no answer, or no whole one, and what that means for the next try.

use std::time::Duration;

use crate::ports::{HttpError, Phase};

/// Why a model gave no answer, or no whole one. Texts of visitors and models are never in it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The network's, or the platform's: no reply at all.
    #[error("{0}")]
    Unreachable(HttpError),
    /// The operator's: the platform lets nobody reach that host.
    #[error("{authority} may not be reached: set llm_host to its scheme://host[:port]")]
    Denied {
        /// Host and port.
        authority: String,
    },
    /// The provider's: it was too slow.
    #[error("no {phase} within {} ms", .limit.as_millis())]
    TimedOut {
        /// What was waited for.
        phase: Phase,
        /// How long.
        limit: Duration,
    },
    /// The operator's: the provider does not take the key.
    #[error("status {status}: the provider refuses the key; see its console")]
    Unauthorized {
        /// 401 or 403.
        status: u16,
    },
    /// Ours: it was asked too often. It may be asked again after that time, where it tells.
    #[error("status 429: asked too often")]
    RateLimited {
        /// As its header says.
        retry_after: Option<Duration>,
    },
    /// The provider's: it cannot answer at the moment.
    #[error("status {status}: the provider cannot answer")]
    Unavailable {
        /// 408, 498 or 5xx.
        status: u16,
    },
    /// The request's: the provider does not take it, for instance because it is too long.
    #[error("status {status}, code {code}: the provider refuses the request")]
    Rejected {
        /// Any other status but 200.
        status: u16,
        /// The provider's name for what is wrong, `unknown` if it has none.
        code: String,
    },
    /// The operator's: the provider serves none of the models any longer.
    #[error("none of the models is served: {}; name others in the provider's models", .models.join(", "))]
    NoModel {
        /// The models.
        models: Vec<String>,
    },
    /// The provider's: it failed after it had begun to reply.
    #[error("the provider reports {code} in its reply")]
    Failed {
        /// The provider's name for what is wrong, `unknown` if it has none.
        code: String,
    },
    /// The provider's: what it sent is no completion.
    #[error("not a completion: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// The provider's: the reply ended before the answer did.
    #[error("the reply was cut off")]
    Cut,
    /// The model's: it ended without an answer, for instance because it thought too long.
    #[error("the model ended without an answer")]
    Empty,
    /// The listener's: it wants no more.
    #[error("nobody listens any longer")]
    Stopped,
}

impl Fault {
    /// Whether the same provider may be asked the same again at once, as long as no piece was
    /// handed on.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Unreachable(HttpError::Failed { .. }) | Self::Unavailable { .. } => true,
            Self::RateLimited { retry_after } => {
                retry_after.is_some_and(|wait| wait <= LONGEST_RETRY)
            }
            _ => false,
        }
    }

    /// Whether the provider, and not the request or a limit that it tells us, is to blame.
    pub fn counts_for_breaker(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::Rejected { .. } | Self::Empty | Self::Stopped => false,
            Self::Unreachable(_)
            | Self::Denied { .. }
            | Self::TimedOut { .. }
            | Self::Unauthorized { .. }
            | Self::Unavailable { .. }
            | Self::NoModel { .. }
            | Self::Failed { .. }
            | Self::Malformed { .. }
            | Self::Cut => true,
        }
    }

    /// Whether the provider may have worked, and so may bill, though no count of tokens came.
    pub(super) fn may_be_billed(&self) -> bool {
        match self {
            Self::TimedOut { .. }
            | Self::Failed { .. }
            | Self::Malformed { .. }
            | Self::Cut
            | Self::Empty
            | Self::Stopped => true,
            Self::Unreachable(_)
            | Self::Denied { .. }
            | Self::Unauthorized { .. }
            | Self::RateLimited { .. }
            | Self::Unavailable { .. }
            | Self::Rejected { .. }
            | Self::NoModel { .. } => false,
        }
    }

    /// Its name in metrics and logs.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::Denied { .. } => "denied",
            Self::TimedOut { .. } => "timed_out",
            Self::Unauthorized { .. } => "unauthorized",
            Self::RateLimited { .. } => "rate_limited",
            Self::Unavailable { .. } => "unavailable",
            Self::Rejected { .. } => "rejected",
            Self::NoModel { .. } => "no_model",
            Self::Failed { .. } => "failed",
            Self::Malformed { .. } => "malformed",
            Self::Cut => "cut",
            Self::Empty => "empty",
            Self::Stopped => "stopped",
        }
    }
}

impl From<HttpError> for Fault {
    /// What went wrong before the head of a reply.
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::TimedOut { phase, limit } => Self::TimedOut { phase, limit },
            HttpError::Denied { authority } => Self::Denied { authority },
            other => Self::Unreachable(other),
        }
    }
}

/// Longest pause before the same provider is asked again: a visitor waits, and another provider or
/// the extractive answer could have come meanwhile.
const LONGEST_RETRY: Duration = Duration::from_secs(2);

/// What a reply that is no completion says.
pub(super) fn refusal(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Refusal {
    let code = code(&serde_json::from_slice(body).unwrap_or_default());
    let withdrawn = matches!(code.as_str(), "model_not_found" | "model_decommissioned");
    Refusal::Other(match status {
        404 | 410 => return Refusal::Withdrawn,
        400 if withdrawn => return Refusal::Withdrawn,
        401 | 403 => Fault::Unauthorized { status },
        429 => Fault::RateLimited { retry_after },
        408 | 498 | 500.. => Fault::Unavailable { status },
        _ => Fault::Rejected { status, code },
    })
}

/// A refusal of one model, or of the request.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Refusal {
    /// The provider does not serve the model.
    Withdrawn,
    /// Anything else.
    Other(Fault),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Other(fault)
    }
}

impl From<HttpError> for Refusal {
    fn from(error: HttpError) -> Self {
        Self::Other(error.into())
    }
}

/// The provider's name for what is wrong, wherever its dialect has it; `unknown` where it has none,
/// or one that looks like a text.
pub(super) fn code(error: &serde_json::Value) -> String {
    let places = ["/error/code", "/code", "/error/type", "/type"];
    let named = places.iter().filter_map(|place| error.pointer(place)).find_map(|it| match it {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    let plain = |it: char| it.is_ascii_alphanumeric() || "_-.".contains(it);
    let named = named.filter(|code| code.len() <= 64 && code.chars().all(plain));
    named.filter(|code| !code.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_tells_whose_fault_it_is() {
        let check = |status, body: &str, expected: Refusal| {
            assert_eq!(refusal(status, None, body.as_bytes()), expected, "{status} {body}");
        };
        let rejected =
            |status, code: &str| Refusal::Other(Fault::Rejected { status, code: code.to_owned() });
        check(404, "", Refusal::Withdrawn);
        check(400, r#"{"error": {"code": "model_decommissioned"}}"#, Refusal::Withdrawn);
        check(400, r#"{"error": {"code": "model_not_found"}}"#, Refusal::Withdrawn);
        let long = r#"{"error": {"code": "context_length_exceeded", "message": "x"}}"#;
        check(400, long, rejected(400, "context_length_exceeded"));
        check(
            400,
            r#"{"error": {"type": "invalid_request_error", "code": null}}"#,
            rejected(400, "invalid_request_error"),
        );
        check(400, r#"{"object": "error", "code": 40303}"#, rejected(400, "40303"));
        check(413, r#"{"error": {"code": "some words of the visitor"}}"#, rejected(413, "unknown"));
        check(422, "<html>", rejected(422, "unknown"));
        check(204, "", rejected(204, "unknown"));
        check(401, "", Fault::Unauthorized { status: 401 }.into());
        check(403, "", Fault::Unauthorized { status: 403 }.into());
        check(429, "", Fault::RateLimited { retry_after: None }.into());
        for status in [408, 498, 500, 502, 503, 504, 529] {
            check(status, "", Fault::Unavailable { status }.into());
        }
    }

    #[test]
    fn a_fault_tells_what_to_do_next() {
        let check = |fault: Fault, retryable, breaker, billed| {
            let told = (fault.retryable(), fault.counts_for_breaker(), fault.may_be_billed());
            assert_eq!(told, (retryable, breaker, billed), "{}", fault.label());
        };
        let limited = |seconds| Fault::RateLimited { retry_after: seconds };
        let limit = Duration::from_secs(5);
        let failed = HttpError::Failed { reason: "reset".to_owned() };
        let denied = HttpError::Denied { authority: "a".to_owned() };
        let told = "a may not be reached: set llm_host to its scheme://host[:port]";
        assert_eq!(Fault::from(denied.clone()).to_string(), told);
        check(failed.into(), true, true, false);
        check(denied.into(), false, true, false);
        check(HttpError::TimedOut { phase: Phase::Head, limit }.into(), false, true, true);
        check(Fault::Unauthorized { status: 401 }, false, true, false);
        check(limited(None), false, false, false);
        check(limited(Some(LONGEST_RETRY)), true, false, false);
        check(limited(Some(Duration::from_millis(2001))), false, false, false);
        check(Fault::Unavailable { status: 503 }, true, true, false);
        check(Fault::Rejected { status: 400, code: String::new() }, false, false, false);
        check(Fault::NoModel { models: Vec::new() }, false, true, false);
        check(Fault::Failed { code: String::new() }, false, true, true);
        check(Fault::Malformed { reason: String::new() }, false, true, true);
        check(Fault::Cut, false, true, true);
        check(Fault::Empty, false, false, true);
        check(Fault::Stopped, false, false, true);
    }
}
