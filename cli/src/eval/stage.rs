//! The stages of retrieval, each as settings of a search: what an ablation compares.

use dossier_core::retrieval::{Mode, Query};

/// One way to search.
#[derive(Debug)]
pub(crate) struct Stage {
    /// Its name in `--mode` and in reports.
    pub(crate) name: &'static str,
    /// What it is, in words.
    pub(crate) title: &'static str,
    /// Whether it is one of the plain methods that the default has to beat.
    pub(crate) is_reference: bool,
    /// Sets a query up for it.
    pub(crate) set: fn(&mut Query<'_>),
}

/// Every stage, from the plainest on: reports show each with its difference to the one before.
pub(crate) const STAGES: &[Stage] = &[
    Stage {
        name: "bm25",
        title: "terms alone",
        is_reference: true,
        set: |query| query.mode = Mode::Bm25,
    },
    Stage {
        name: "dense",
        title: "vectors alone",
        is_reference: true,
        set: |query| query.mode = Mode::Dense,
    },
    Stage {
        name: "rrf",
        title: "both, by their ranks",
        is_reference: true,
        set: |query| query.mode = Mode::Rrf,
    },
    Stage {
        name: "blend",
        title: "both, by their scores",
        is_reference: false,
        set: |query| query.mode = Mode::Blend,
    },
    // What a chat searches with: nothing is set.
    Stage { name: DEFAULT, title: "as chat searches", is_reference: false, set: |_| {} },
];

/// The stage that answers are made with.
pub(crate) const DEFAULT: &str = "hybrid";

/// Position in [`STAGES`] of the stage `name`.
pub(crate) fn position(name: &str) -> Option<usize> {
    STAGES.iter().position(|stage| stage.name == name)
}

/// The stages by name with what each is, for messages.
pub(crate) fn listed() -> String {
    let listed = STAGES.iter().map(|stage| format!("{} ({})", stage.name, stage.title));
    listed.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_the_default_sets_nothing() {
        for (at, stage) in STAGES.iter().enumerate() {
            assert_eq!(position(stage.name), Some(at), "{}", stage.name);
        }
        let stage = &STAGES[position(DEFAULT).unwrap()];
        let mut query = Query::default();
        (stage.set)(&mut query);
        assert_eq!(query.mode, Mode::default());
        assert!(!stage.is_reference && STAGES.iter().any(|stage| stage.is_reference));
    }
}
