//! Text files: nothing of one machine, one network or one unfinished thought stays in them.

use super::Finding;

/// Looks at one text file of any kind.
pub(super) fn check(file: &str, content: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    // Lock files hold hashes, and the sample documents belong to the people in them.
    let is_prose_of_others = file.starts_with("data/docs/") || file == "Cargo.lock";
    for (index, line) in content.lines().enumerate() {
        let mut find = |message: String| findings.push(Finding::new(file, index + 1, message));
        if let Some(address) = registry(file, line) {
            find(format!("address of a package registry: {address}"));
        }
        if is_prose_of_others {
            continue;
        }
        if let Some(path) = machine_path(line) {
            find(format!("path of one machine: {path}"));
        }
        if let Some(mark) = unfinished(line) {
            find(format!("unfinished, and no issue (#number) on the line: {mark}"));
        }
    }
    findings
}

/// An address that one network's package manager wrote down, or was told.
fn registry<'a>(file: &str, line: &'a str) -> Option<&'a str> {
    if let Some(sign) = REGISTRY_SIGNS.iter().find(|sign| line.contains(**sign)) {
        return Some(sign);
    }
    if !file.ends_with("package-lock.json") {
        return None;
    }
    let (_, address) = line.split_once("\"resolved\": \"")?;
    Some(address.trim_end_matches([',', '"']))
}

/// An absolute path that starts in a folder only this or that machine has.
fn machine_path(line: &str) -> Option<&str> {
    MACHINE_FOLDERS.iter().find_map(|folder| {
        let (start, _) = line.match_indices(folder).find(|(start, _)| {
            let before = line[..*start].chars().next_back();
            before.is_none_or(|c| !(c.is_alphanumeric() || "._-/~$})*>".contains(c)))
        })?;
        line[start..].split(|c: char| c.is_whitespace() || "\"'`)".contains(c)).next()
    })
}

/// A mark of unfinished work without the number of an issue.
fn unfinished(line: &str) -> Option<&'static str> {
    let has_issue =
        line.split('#').skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if has_issue {
        return None;
    }
    UNFINISHED.iter().copied().find(|mark| {
        line.match_indices(mark).any(|(start, _)| {
            let before = line[..start].chars().next_back();
            let after = line[start + mark.len()..].chars().next();
            let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
            !joins(before) && !joins(after)
        })
    })
}

// The patterns are put together from halves: this file is checked like every other.
const REGISTRY_SIGNS: &[&str] = &[
    concat!("sparse", "+http"),
    concat!("index", "-url"),
    concat!("-npm.pkg", ".dev"),
    concat!("-python.pkg", ".dev"),
    concat!("-cargo.pkg", ".dev"),
    concat!("artifact", "registry"),
    concat!("jfrog", ".io"),
];

const MACHINE_FOLDERS: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];

const UNFINISHED: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("to", "do!"),
    concat!("unimple", "mented!"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file: &str, line: &str) -> usize {
        check(file, line).len()
    }

    #[test]
    fn registry_addresses_are_found() {
        for sign in REGISTRY_SIGNS {
            assert_eq!(found("a.toml", &format!("x = \"{sign}s://x\"")), 1, "{sign}");
        }
        let lock = |host: &str| format!("  \"resolved\": \"{host}a/-/a-1.0.0.tgz\",");
        assert_eq!(found("tests/browser/package-lock.json", &lock("http://10.0.0.1/")), 1);
        assert_eq!(found("tests/browser/package-lock.json", "  \"version\": \"1.0.0\","), 0);
        assert_eq!(found("Cargo.lock", "source = \"registry+https://github.com/rust-lang\""), 0);
    }

    #[test]
    fn machine_paths_are_found() {
        for folder in MACHINE_FOLDERS {
            for around in ["", "\"", "(", "`", "=", "path: "] {
                assert_eq!(found("a.md", &format!("{around}{folder}x\"")), 1, "{around}{folder}");
            }
            for before in ["https://example.org", "target", "$HOME", "~", "."] {
                assert_eq!(found("a.md", &format!("{before}{folder}x")), 0, "{before}{folder}");
            }
        }
        assert_eq!(found("a.md", "home/x and /usr/share and /tmp/x"), 0);
    }

    #[test]
    fn unfinished_work_needs_an_issue() {
        for mark in UNFINISHED {
            assert_eq!(found("a.rs", &format!("// {mark}: later")), 1, "{mark}");
            assert_eq!(found("a.rs", &format!("// {mark}(#12): later")), 0, "{mark}");
            assert_eq!(found("a.rs", &format!("let a{mark} = 1;")), 0, "{mark}");
        }
    }
}
