//! What the chat can say of itself: whose documents it answers from, and what they are about.

use crate::wire::Subject;

/// "Marie Curie's documents", or just "the documents".
pub(super) fn documents(subject: &Subject) -> String {
    match &subject.person {
        Some(name) if name.ends_with('s') => format!("{name}' documents"),
        Some(name) => format!("{name}'s documents"),
        None => "the documents".to_owned(),
    }
}

/// Joins with commas and a last word: "A, B or C"; with semicolons where a part has commas itself.
pub(super) fn joined(parts: &[String], last: &str) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., tail] => {
            let by = if parts.iter().any(|it| it.contains(',')) { "; " } else { ", " };
            format!("{} {last} {tail}", head.join(by))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_and_owns() {
        assert_eq!(joined(&["a", "b", "c"].map(str::to_owned), "or"), "a, b or c");
        assert_eq!(joined(&["a, b", "c", "d"].map(str::to_owned), "or"), "a, b; c or d");
        let of = |name: &str| {
            documents(&Subject { person: Some(name.to_owned()), ..Subject::default() })
        };
        assert_eq!(
            (of("Ada"), of("Hopkins")),
            ("Ada's documents".to_owned(), "Hopkins' documents".to_owned())
        );
        assert_eq!(documents(&Subject::default()), "the documents");
    }
}
