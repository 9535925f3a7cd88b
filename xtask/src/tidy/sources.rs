//! Rust files: each opens by saying what it is, and stays short enough to be read.

use super::Finding;

/// Looks at one Rust file.
pub(super) fn check(file: &str, content: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !content.starts_with("//!") {
        findings.push(Finding::new(file, 1, "the first line must say what the file is: `//!`"));
    }
    let lines = lines_without_tests(content);
    if lines > LONGEST {
        let message = format!("{lines} lines without its tests, at most {LONGEST}: split it");
        findings.push(Finding::new(file, LONGEST + 1, message));
    }
    findings
}

/// The lines up to `mod tests`, which is a file's last item.
fn lines_without_tests(content: &str) -> usize {
    let lines: Vec<_> = content.lines().collect();
    let tests = lines.windows(2).position(|pair| {
        pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod tests") && pair[1].ends_with('{')
    });
    tests.unwrap_or(lines.len())
}

/// The longest a file may be, in lines: half an hour's reading.
const LONGEST: usize = 600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_is_demanded() {
        assert_eq!(check("a.rs", "//! A noun.\n"), []);
        assert_eq!(check("a.rs", "use std::fs;\n").len(), 1);
        assert_eq!(check("a.rs", "").len(), 1);
        assert_eq!(check("a.rs", "\n//! Too late.\n").len(), 1);
    }

    #[test]
    fn length_counts_all_but_the_tests() {
        let body = format!("//! Long.\n{}", "let x = 1;\n".repeat(LONGEST - 1));
        assert_eq!(check("a.rs", &body), []);
        let tested = format!("{body}#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(400));
        assert_eq!(check("a.rs", &tested), []);
        let found = check("a.rs", &format!("{body}let y = 2;\n"));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, LONGEST + 1);
    }
}
