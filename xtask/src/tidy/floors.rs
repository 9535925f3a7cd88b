//! The floors of quality: from commit to commit they rise, and never fall.

use serde_json::{Map, Value};

use super::Finding;
use crate::measure::FLOORS;
use crate::shell::Task;
use crate::workspace::Workspace;

/// Compares the floors with those of the last commit and of the one before it, so that a change is
/// found both before and after it is committed.
pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let now = match std::fs::read_to_string(workspace.path(FLOORS)) {
        Ok(now) => now,
        Err(problem) => return vec![Finding::new(FLOORS, 1, problem.to_string())],
    };
    // Without a commit, or without the file in it, there is nothing to fall from.
    let before = ["HEAD", "HEAD^"].into_iter().filter_map(|commit| {
        let show = Task::new("git").args(["show", &format!("{commit}:{FLOORS}")]);
        show.folder(workspace.root()).quiet().read().ok()
    });
    let mut findings: Vec<Finding> = before.flat_map(|before| lowered(&before, &now)).collect();
    findings.dedup();
    findings
}

/// Floors that are lower in `now`, or gone. Where the number of a collection's cases or the margin
/// of its floors changed, they are measured anew.
fn lowered(before: &str, now: &str) -> Vec<Finding> {
    let parsed = |json: &str| serde_json::from_str::<Value>(json);
    let (before, now) = match (parsed(before), parsed(now)) {
        (Ok(before), Ok(now)) => (before, now),
        (_, Err(problem)) => {
            return vec![Finding::new(FLOORS, problem.line(), problem.to_string())];
        }
        (Err(_), _) => return Vec::new(),
    };
    let mut findings = Vec::new();
    for (split, collections) in members(&before) {
        for (collection, old) in members(collections) {
            let new = &now[split][collection];
            let is_anew = ["cases", "margin"].into_iter().any(|it| new[it] != old[it]);
            if is_anew && !new.is_null() {
                continue;
            }
            for (metric, floor) in members(&old["floors"]) {
                let raised = new["floors"][metric].as_f64().unwrap_or(-1.0);
                if floor.as_f64().is_some_and(|floor| raised < floor) {
                    let message = format!("lowered from {floor}: {split} {collection} {metric}");
                    findings.push(Finding::new(FLOORS, 1, message));
                }
            }
        }
    }
    findings
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floors_do_not_fall() {
        let floors = |cases: u32, mrr: f64| {
            format!(
                "{{\"dev\": {{\"a\": {{\"cases\": {cases}, \"floors\": {{\"mrr\": {mrr}}}}}}}}}"
            )
        };
        let check = |now: &str, expected: usize| {
            assert_eq!(lowered(&floors(9, 0.8), now).len(), expected, "{now}");
        };
        check(&floors(9, 0.8), 0);
        check(&floors(9, 0.9), 0);
        check(&floors(9, 0.7), 1);
        check(&floors(8, 0.7), 0);
        check("{}", 1);
        check("{", 1);
        assert_eq!(lowered("", &floors(9, 0.1)), []);
    }
}
