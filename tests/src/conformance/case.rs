//! A case as it is written: requests, and what must come back.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail, ensure};

/// A file of an area.
pub(super) struct Case {
    pub(super) name: String,
    /// What it shows.
    pub(super) about: String,
    pub(super) steps: Vec<Step>,
}

/// A request and what must come back.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Step {
    /// How often it is sent.
    pub(super) times: usize,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
    pub(super) expected: Expected,
}

/// What must come back.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Expected {
    /// One of these: a contract may leave a choice.
    pub(super) statuses: Vec<u16>,
    pub(super) headers: Vec<(String, String)>,
    /// Names that later steps use, and where their values stand.
    pub(super) captures: Vec<(String, String)>,
    pub(super) body: String,
}

impl Case {
    pub(super) fn load(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file)?;
        let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        Self::parse(&name, &text).with_context(|| file.display().to_string())
    }

    fn parse(name: &str, text: &str) -> Result<Self> {
        let (about, rest) = text.split_once('\n').unwrap_or((text, ""));
        let about = about.strip_prefix("# ").context("the first line must be `# what it shows`")?;
        let steps: Vec<Step> =
            rest.split("\n###\n").map(step).collect::<Result<_>>().context("a step")?;
        Ok(Self { name: name.to_owned(), about: about.to_owned(), steps })
    }
}

fn step(text: &str) -> Result<Step> {
    let (request, reply) = text.split_once("\n=> ").context("it has no line `=> STATUS`")?;
    let mut lines = request.lines().skip_while(|line| line.is_empty() || line.starts_with('#'));
    let first = lines.next().context("it has no request")?;
    let (times, line) = match first.split_once(" x ") {
        Some((times, line)) => (times.parse().context("times")?, line),
        None => (1, first),
    };
    let (method, path) = line.split_once(' ').context("expected METHOD PATH")?;
    ensure!(path.starts_with('/'), "a path starts with a slash: {path}");
    let mut headers = Vec::new();
    for line in lines.by_ref().take_while(|line| !line.is_empty()) {
        headers.push(header(line)?);
    }
    let body: Vec<&str> = lines.collect();

    let mut lines = reply.lines();
    let statuses = lines.next().unwrap_or_default().trim().split('|').map(str::parse);
    let statuses = statuses.collect::<Result<_, _>>().context("a status")?;
    let mut expected = Expected { statuses, ..Expected::default() };
    for line in lines.by_ref().take_while(|line| !line.is_empty()) {
        match line.strip_prefix("< ") {
            Some(capture) => {
                let (name, place) = capture.split_once(" = ").context("expected NAME = PLACE")?;
                expected.captures.push((name.to_owned(), place.to_owned()));
            }
            None => expected.headers.push(header(line)?),
        }
    }
    expected.body = lines.collect::<Vec<_>>().join("\n").trim().to_owned();
    let body = body.join("\n").trim_end().to_owned();
    let (method, path) = (method.to_owned(), path.to_owned());
    Ok(Step { times, method, path, headers, body, expected })
}

fn header(line: &str) -> Result<(String, String)> {
    match line.split_once(": ") {
        Some((name, value)) => Ok((name.to_lowercase(), value.trim().to_owned())),
        None => bail!("expected `name: value`, got {line:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_read() {
        let text = "# Two steps.\n\n2 x POST /chat\nX-API-Key: k\n\n{\"question\":\n 1}\n\n=> 422\n\
                    content-type: ~problem\n< id = /request_id\n\n{\"status\": 422}\n###\n# Then.\n\
                    GET /health\n\n=> 200|404\n";
        let case = Case::parse("two", text).unwrap();
        assert_eq!((case.about.as_str(), case.steps.len()), ("Two steps.", 2));
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let expected = Expected {
            statuses: vec![422],
            headers: vec![pair("content-type", "~problem")],
            captures: vec![pair("id", "/request_id")],
            body: "{\"status\": 422}".to_owned(),
        };
        let first = Step {
            times: 2,
            method: "POST".to_owned(),
            path: "/chat".to_owned(),
            headers: vec![pair("x-api-key", "k")],
            body: "{\"question\":\n 1}".to_owned(),
            expected,
        };
        assert_eq!(case.steps[0], first);
        assert_eq!(
            (case.steps[1].path.as_str(), &*case.steps[1].expected.statuses),
            ("/health", &[200, 404][..])
        );
        for bad in
            ["GET /", "# x\nGET /health\n", "# x\nGET health\n\n=> 200\n", "# x\nGET /\n\n=> ok\n"]
        {
            assert!(Case::parse("bad", bad).is_err(), "{bad}");
        }
    }
}
