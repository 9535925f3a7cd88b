//! Log lines without what must not be in them: keys, tokens, passwords, personal data, session ids.

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;

use super::personal::{self, Personal};

/// Patterns and what takes their place, applied in this order.
static SECRETS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        // Keys by the prefix that their issuer gives them: Groq, OpenAI, Slack, GitHub, GitLab,
        // Hugging Face, AWS.
        (
            r"(?-u)\b(?:gsk|sk|pk|rk|xox[abprs]|ghp|gho|ghs|glpat|hf)[_-][A-Za-z0-9_-]{8,}|\bgithub_pat_\w{8,}|\bAKIA[0-9A-Z]{16}\b",
            "[key]",
        ),
        (r"(?-u)\beyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?", "[token]"),
        (
            r"(?i-u)\b(bearer|basic)\s+(?:[A-Z._~+/=-]*\d[A-Z0-9._~+/=-]{4,}|[A-Z0-9._~+/=-]{20,})",
            "$1 [token]",
        ),
        (r"://[^/\s:@]{0,64}:[^/\s@]{1,256}@", "://[secret]@"),
        (
            r#"(?i)\b((?:[a-z]+[_-])*(?:api[_-]?key|token|secret|password|passwd|pwd|cookie|private[_-]?key)"?\s*[=:]\s*"?)(?:[^\s"',;&\[\]]{3,})"#,
            "$1[secret]",
        ),
        // Our session ids, and whatever others call an id: eight digits tell two apart in a log.
        (r"(?i-u)\b([0-9a-f]{8})[0-9a-f]{24}\b", "$1***"),
        (r"(?i-u)\b([0-9a-f]{8})-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", "$1***"),
        (r#"(?i-u)\b(session(?:[_-]?id)?"?\s*[=:]\s*"?[A-Z0-9_-]{8})[A-Z0-9_-]+"#, "$1***"),
    ]
    .into_iter()
    // A pattern that does not compile fails the tests; it never gets here.
    .filter_map(|(pattern, substitute)| Some((Regex::new(pattern).ok()?, substitute)))
    .collect()
});

/// Returns `line` with secrets and personal data replaced by their kind in brackets; of a session id
/// the first eight characters stay.
///
/// Ids of 32 hexadecimal digits look like session ids and are cut too, so fields that hold a trace's
/// id are to be added to a line after it went through here.
pub fn redact(line: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(line);
    for (pattern, substitute) in SECRETS.iter() {
        if let Cow::Owned(changed) = pattern.replace_all(&text, *substitute) {
            text = Cow::Owned(changed);
        }
    }
    let found = personal::find(&text);
    if found.is_empty() {
        return text;
    }
    let mut redacted = String::with_capacity(text.len());
    let mut end = 0;
    for (place, kind) in found {
        redacted.push_str(&text[end..place.start]);
        redacted.push_str(match kind {
            Personal::Card => "[card]",
            Personal::Email => "[email]",
            Personal::Iban => "[iban]",
            Personal::Phone => "[phone]",
            Personal::Ssn => "[ssn]",
        });
        end = place.end;
    }
    redacted.push_str(&text[end..]);
    Cow::Owned(redacted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(SECRETS.len(), 8);
    }

    #[test]
    fn secrets_and_persons_are_taken_out() {
        for (line, expected) in [
            ("key gsk_abcDEF123456 failed", "key [key] failed"),
            ("sk-proj-abc_DEF-123456789", "[key]"),
            ("AKIAIOSFODNN7EXAMPLE", "[key]"),
            ("Authorization: Bearer abc.def-123456", "Authorization: Bearer [token]"),
            ("eyJhbGciOiJI.eyJzdWIiOiIx.abc", "[token]"),
            ("redis://user:pa55word@cache:6379", "redis://[secret]@cache:6379"),
            ("groq_api_key=abc123def", "groq_api_key=[secret]"),
            (r#"{"password": "hunter22", "a": 1}"#, r#"{"password": "[secret]", "a": 1}"#),
            ("session 0123456789abcdef0123456789abcdef", "session 01234567***"),
            ("id 123e4567-e89b-12d3-a456-426614174000", "id 123e4567***"),
            ("session_id=my-session-of-today", "session_id=my-sessi***"),
            ("from a.b@example.org, +32 9 555 01 23", "from [email], [phone]"),
            ("4111 1111 1111 1111 and 219-09-9999", "[card] and [ssn]"),
        ] {
            assert_eq!(redact(line), expected, "{line}");
            assert_eq!(redact(expected), expected, "twice: {line}");
        }
    }

    #[test]
    fn the_rest_stays_as_it_is() {
        for line in [
            "POST /api/v1/chat 200 in 12 ms",
            "2026-11-21T17:00:00Z questions=3 tokens=1200",
            "the token budget is 8192; a secret of bread: time",
            "sk-1, basic skills, bearer of a medal",
            "",
        ] {
            assert!(matches!(redact(line), Cow::Borrowed(same) if same == line), "{line}");
        }
    }

    #[test]
    fn long_lines_take_linear_time() {
        // A pattern that backtracked would not come back from these.
        for unit in ["a", "a-", "://a:", "eyJ", "1 ", "token=", "(("] {
            assert!(redact(&unit.repeat(100_000)).len() <= unit.len() * 100_000 + 100);
        }
    }
}
