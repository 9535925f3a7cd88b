//! What becomes of a question: the verdict, and what the visitor is told.

use super::{Inspection, Signal};

/// What every visitor is told whose question is not taken up, whatever the reason. It names none:
/// who attacks learns nothing from it, and who does not is shown the way.
pub const REDIRECT: &str = "I answer questions about what is in these documents: education, work, \
                            projects, skills, dates. What would you like to know?";

/// Probability from which Prompt Guard's word alone blocks. It was trained on chats, where talk of
/// prompts is rare, so below certainty it needs company.
const REMOTE_ALONE: f32 = 0.9;
/// Probability from which Prompt Guard calls a text malicious itself; blocks where the local
/// classifier has a doubt too.
const REMOTE_DOUBT: f32 = 0.5;
/// Probability from which the local classifier has a doubt, which is far below what it needs to
/// block on its own.
const LOCAL_DOUBT: f32 = 0.3;

/// Why a question is blocked. The set is closed, so that a label never grows a metric.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// Orders are to be dropped, or others followed.
    Override,
    /// The prompt is to be told.
    Extraction,
    /// A role without rules is to be played.
    Persona,
    /// An order hides in a code.
    Encoding,
    /// Roles or borders of a chat format are forged.
    Markup,
    /// Code or tools are to be run.
    Execution,
    /// Data is to leave, through links, images or other visitors' conversations.
    Exfiltration,
    /// Keys, passwords or numbers of cards are wanted.
    Secrets,
    /// The local classifier is sure.
    Classifier,
    /// Prompt Guard is sure, or both have a doubt.
    Remote,
}

impl Reason {
    /// Its name in metrics and logs.
    pub fn label(self) -> &'static str {
        match self {
            Self::Override => "override",
            Self::Extraction => "extraction",
            Self::Persona => "persona",
            Self::Encoding => "encoding",
            Self::Markup => "markup",
            Self::Execution => "execution",
            Self::Exfiltration => "exfiltration",
            Self::Secrets => "secrets",
            Self::Classifier => "classifier",
            Self::Remote => "remote",
        }
    }
}

/// The decision on a question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// Why it is blocked; `None` lets it pass.
    pub reason: Option<Reason>,
    /// How likely it is an attack, 0 to 1, by whichever classifier thinks it likelier.
    pub score: f32,
}

impl Verdict {
    /// Whether the visitor gets [`REDIRECT`] in place of an answer.
    pub fn blocked(&self) -> bool {
        self.reason.is_some()
    }
}

/// Joins the local layers with Prompt Guard's signal, where there is one.
///
/// No signal blocks nothing and allows nothing: the local layers then decide alone.
pub fn decide(local: &Inspection, remote: Option<Signal>) -> Verdict {
    let suspicion = remote.map_or(0.0, |signal| signal.score);
    let remote =
        suspicion >= REMOTE_ALONE || (suspicion >= REMOTE_DOUBT && local.score >= LOCAL_DOUBT);
    Verdict {
        reason: local.reason.or(remote.then_some(Reason::Remote)),
        score: local.score.max(suspicion),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_joined() {
        let check = |reason, local, remote: Option<f32>, expected: Option<Reason>| {
            let local = Inspection { reason, score: local };
            let verdict = decide(&local, remote.map(|score| Signal { score }));
            assert_eq!((verdict.reason, verdict.blocked()), (expected, expected.is_some()));
            assert!(verdict.score >= local.score);
        };
        check(None, 0.1, None, None);
        check(None, 0.1, Some(0.0), None);
        check(None, 0.1, Some(0.6), None);
        check(None, 0.4, Some(0.6), Some(Reason::Remote));
        check(None, 0.0, Some(0.95), Some(Reason::Remote));
        check(Some(Reason::Persona), 0.1, None, Some(Reason::Persona));
        check(Some(Reason::Classifier), 0.9, Some(0.0), Some(Reason::Classifier));
    }

    #[test]
    fn the_redirect_names_no_reason() {
        for word in ["attack", "block", "detect", "guard", "injection", "instruction", "rule"] {
            assert!(!REDIRECT.to_lowercase().contains(word), "{word}");
        }
    }
}
