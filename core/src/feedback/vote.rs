//! A vote that passed validation.

use crate::{
    RequestError, session,
    wire::{FeedbackRequest, FieldError},
};

/// Longest id of a message, in characters: clients number their messages as they like, and a UUID
/// has 36.
pub const MAX_MESSAGE_ID_CHARS: usize = 64;

/// Longest comment, in characters after trimming: a paragraph, no essay.
pub const MAX_COMMENT_CHARS: usize = 1_000;

/// What a visitor thought of one answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Vote {
    /// The conversation.
    pub session_id: String,
    /// The answer in it, as the client numbers them.
    pub message_id: String,
    /// Whether the answer was good.
    pub thumbs_up: bool,
    /// What the visitor had to say; never empty.
    pub comment: Option<String>,
}

/// What became of a vote.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recorded {
    /// The entry's id.
    pub id: String,
    /// Whether the entry is new, or else was changed.
    pub created: bool,
}

impl Vote {
    /// Validates a request.
    ///
    /// # Errors
    /// [`RequestError::Invalid`] with every field at fault. Whether session and message exist is not
    /// asked: a conversation may have ended before its visitor votes.
    pub fn from_request(request: FeedbackRequest) -> Result<Self, RequestError> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, message: String| {
            faults.push(FieldError { field: field.to_owned(), message });
        };
        if !session::is_id(&request.session_id) {
            fault("session_id", "session_id must be 1 to 64 of A-Z a-z 0-9 _ -".to_owned());
        }
        let length = request.message_id.chars().count();
        if !(1..=MAX_MESSAGE_ID_CHARS).contains(&length) {
            let message = format!(
                "message_id must have 1 to {MAX_MESSAGE_ID_CHARS} characters, got {length}"
            );
            fault("message_id", message);
        } else if request.message_id.chars().any(char::is_control) {
            fault("message_id", "message_id must have no control characters".to_owned());
        }
        let comment = request.comment.map(|comment| clean(&comment)).filter(|it| !it.is_empty());
        let length = comment.as_deref().unwrap_or_default().chars().count();
        if length > MAX_COMMENT_CHARS {
            let message =
                format!("comment must have at most {MAX_COMMENT_CHARS} characters, got {length}");
            fault("comment", message);
        }
        if !faults.is_empty() {
            return Err(RequestError::Invalid { fields: faults });
        }
        let FeedbackRequest { session_id, message_id, thumbs_up, .. } = request;
        Ok(Self { session_id, message_id, thumbs_up, comment })
    }
}

/// Lines stay; other control characters go, since no reader shows them and Postgres stores no NUL.
fn clean(comment: &str) -> String {
    let keep = |letter: &char| !letter.is_control() || "\n\t".contains(*letter);
    comment.chars().filter(keep).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(session: &str, message: &str, comment: Option<&str>) -> FeedbackRequest {
        FeedbackRequest {
            session_id: session.to_owned(),
            message_id: message.to_owned(),
            thumbs_up: true,
            comment: comment.map(str::to_owned),
        }
    }

    #[test]
    fn comments_are_cleaned() {
        let check = |comment, expected: Option<&str>| {
            let vote = Vote::from_request(request("s", "m", comment)).unwrap();
            assert_eq!(vote.comment.as_deref(), expected);
        };
        check(None, None);
        check(Some(" \n\u{0} "), None);
        check(Some(" two\nlines\u{0}\u{7f} "), Some("two\nlines"));
        check(Some(&format!("  {}  ", "ä".repeat(1_000))), Some(&"ä".repeat(1_000)));
    }

    #[test]
    fn every_field_at_fault_is_named() {
        let check = |request, expected: &[&str]| match Vote::from_request(request) {
            Ok(_) => assert!(expected.is_empty()),
            Err(RequestError::Invalid { fields }) => {
                let names: Vec<&str> = fields.iter().map(|it| it.field.as_str()).collect();
                assert_eq!(names, expected);
            }
            Err(other) => panic!("{other}"),
        };
        check(request("a-B_9", "any ✓ thing", None), &[]);
        check(request(&"s".repeat(64), &"ü".repeat(64), None), &[]);
        check(request("", "", None), &["session_id", "message_id"]);
        check(request("a b", &"m".repeat(65), None), &["session_id", "message_id"]);
        check(
            request("../x", "a\u{0}b", Some(&"x".repeat(1_001))),
            &["session_id", "message_id", "comment"],
        );
    }
}
