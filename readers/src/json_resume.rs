//! Résumés after the JSON Resume schema: each entry of work and the like a section, the rest lists.

use serde_json::{Map, Value};

use crate::{Content, Format, ReadError, markdown::Writer};

/// Sections whose entries are told at length, in the order of the schema.
const ENTRIES: &[(&str, &str, Entry)] = &[
    ("work", "Work", Entry { what: &["position"], at: &["name", "company"] }),
    ("volunteer", "Volunteering", Entry { what: &["position"], at: &["organization"] }),
    ("education", "Education", Entry { what: &["studyType", "area"], at: &["institution"] }),
    ("projects", "Projects", Entry { what: &["name"], at: &["entity"] }),
];

/// Sections whose entries are a line each: the name's member, and what follows it.
const LISTS: &[(&str, &str, &str)] = &[
    ("awards", "Awards", "title"),
    ("certificates", "Certificates", "name"),
    ("publications", "Publications", "name"),
    ("skills", "Skills", "name"),
    ("languages", "Languages", "language"),
    ("interests", "Interests", "name"),
    ("references", "References", "name"),
];

const MONTHS: &[&str] = &[
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Which members name an entry, and where it was.
struct Entry {
    what: &'static [&'static str],
    at: &'static [&'static str],
}

pub(crate) fn read(bytes: &[u8]) -> Result<Content, ReadError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| ReadError::damaged(Format::Json, format!("not valid JSON: {error}")))?;
    let sections = || ENTRIES.iter().map(|it| it.0).chain(LISTS.iter().map(|it| it.0));
    let resume = value.as_object().filter(|map| {
        map.contains_key("basics")
            || sections().any(|name| map.get(name).is_some_and(Value::is_array))
    });
    let Some(resume) = resume else {
        let reason =
            "expected a résumé after the JSON Resume schema, with basics, work or education";
        return Err(ReadError::Shape { format: Format::Json, reason: reason.to_owned() });
    };
    let mut writer = Writer::default();
    writer.describe("doc_type", "resume");
    if let Some(basics) = resume.get("basics").and_then(Value::as_object) {
        self::basics(basics, &mut writer);
    }
    for (name, heading, shape) in ENTRIES {
        entries(heading, shape, objects(resume, name), &mut writer);
    }
    for (name, heading, title) in LISTS {
        let lines: Vec<String> = objects(resume, name)
            .map(|entry| line(title, entry))
            .filter(|it| !it.is_empty())
            .collect();
        if !lines.is_empty() {
            writer.heading(2, heading);
            lines.iter().for_each(|line| writer.item(0, None, line));
        }
    }
    Ok(writer.finish())
}

fn basics(basics: &Map<String, Value>, writer: &mut Writer) {
    let name = text(basics, "name");
    if !name.is_empty() {
        writer.describe("title", &format!("Résumé of {name}"));
        writer.describe("person", &name);
    }
    writer.heading(2, "Basics");
    let label = text(basics, "label");
    writer.paragraph(&match (name.is_empty(), label.is_empty()) {
        (false, false) => format!("{name}, {label}"),
        _ => format!("{name}{label}"),
    });
    writer.paragraph(&text(basics, "summary"));
    for (member, shown) in
        [("email", "Email"), ("phone", "Phone"), ("url", "Website"), ("website", "Website")]
    {
        let value = text(basics, member);
        if !value.is_empty() {
            writer.item(0, None, &format!("{shown}: {value}"));
        }
    }
    if let Some(location) = basics.get("location").and_then(Value::as_object) {
        let parts = ["address", "postalCode", "city", "region", "countryCode"];
        let parts = parts.map(|part| text(location, part));
        let place = join(&parts, ", ");
        if !place.is_empty() {
            writer.item(0, None, &format!("Location: {place}"));
        }
    }
    for profile in objects(basics, "profiles") {
        let parts = ["network", "username", "url"].map(|part| text(profile, part));
        writer.item(0, None, &join(&parts, ", "));
    }
}

fn entries<'a>(
    heading: &str,
    shape: &Entry,
    entries: impl Iterator<Item = &'a Map<String, Value>>,
    writer: &mut Writer,
) {
    for (n, entry) in entries.enumerate() {
        if n == 0 {
            writer.heading(2, heading);
        }
        let what: Vec<String> = shape.what.iter().map(|member| text(entry, member)).collect();
        let at: Vec<String> = shape.at.iter().map(|member| text(entry, member)).collect();
        let what = join(&what, " in ");
        writer.heading(3, &join(&[what.clone(), join(&at, ", ")], ", "));
        let period = period(entry);
        if !period.is_empty() {
            // The passage is found by its dates, so it must say whose they are.
            let subject = if what.is_empty() { join(&at, ", ") } else { what };
            writer.paragraph(&format!("{subject}, {period}."));
        }
        for member in ["location", "description", "summary"] {
            writer.paragraph(&text(entry, member));
        }
        for (member, shown) in [("score", "Score"), ("url", "Website")] {
            let value = text(entry, member);
            if !value.is_empty() {
                writer.paragraph(&format!("{shown}: {value}"));
            }
        }
        for member in ["highlights", "courses"] {
            strings(entry, member).for_each(|item| writer.item(0, None, item));
        }
        let keywords =
            join(&strings(entry, "keywords").map(str::to_owned).collect::<Vec<_>>(), ", ");
        if !keywords.is_empty() {
            writer.paragraph(&format!("Keywords: {keywords}"));
        }
    }
}

/// `Halvorsen Prize, Hydrological Society, 20 May 2021. For the flood model.`
fn line(title: &str, entry: &Map<String, Value>) -> String {
    let mut head = vec![text(entry, title)];
    for member in ["level", "fluency", "issuer", "awarder", "publisher"] {
        head.push(text(entry, member));
    }
    for member in ["date", "releaseDate"] {
        head.push(date(&text(entry, member)));
    }
    let mut line = join(&head, ", ");
    let keywords = join(&strings(entry, "keywords").map(str::to_owned).collect::<Vec<_>>(), ", ");
    if !keywords.is_empty() {
        line = join(&[line, keywords], ": ");
    }
    for member in ["summary", "reference", "url"] {
        line = join(&[line, text(entry, member)], ". ");
    }
    line
}

fn period(entry: &Map<String, Value>) -> String {
    let (start, end) = (date(&text(entry, "startDate")), date(&text(entry, "endDate")));
    match (start.is_empty(), end.is_empty()) {
        (false, false) => format!("{start} to {end}"),
        (false, true) => format!("since {start}"),
        (true, false) => format!("until {end}"),
        (true, true) => String::new(),
    }
}

/// `2021-05-20` as `20 May 2021`; what is not such a date stays as it is.
fn date(iso: &str) -> String {
    let parts: Vec<&str> = iso.split('-').collect();
    let month = parts.get(1).and_then(|it| it.parse::<usize>().ok());
    let month = month.and_then(|it| MONTHS.get(it.checked_sub(1)?));
    match (parts.as_slice(), month) {
        ([year, _], Some(month)) if year.len() == 4 => format!("{month} {year}"),
        ([year, _, day], Some(month)) if year.len() == 4 && day.len() == 2 => {
            format!("{} {month} {year}", day.trim_start_matches('0'))
        }
        _ => iso.to_owned(),
    }
}

fn objects<'a>(
    map: &'a Map<String, Value>,
    name: &str,
) -> impl Iterator<Item = &'a Map<String, Value>> {
    map.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

fn strings<'a>(map: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = &'a str> {
    map.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn text(map: &Map<String, Value>, name: &str) -> String {
    match map.get(name) {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn join(parts: &[String], separator: &str) -> String {
    let parts = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty());
    parts.map(|part| part.trim_end_matches('.')).collect::<Vec<_>>().join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resume_in_sections() {
        let content = read(
            br#"{"basics": {"name": "Ada", "label": "Analyst", "email": "a@b.example"},
                "work": [{"name": "Engine Works", "position": "Programmer", "startDate": "1842-10",
                          "endDate": "1843-09-08", "summary": "Notes.", "highlights": ["Note G"]}],
                "education": [{"institution": "Home", "area": "Mathematics", "startDate": "1830"}],
                "skills": [{"name": "Mathematics", "level": "Master", "keywords": ["Series"]}],
                "awards": [{"title": "Medal", "date": "1843-01-02", "awarder": "Society", "summary": "For G."}]}"#,
        )
        .unwrap();
        assert_eq!(
            content.text,
            "## Basics\n\nAda, Analyst\n\n- Email: a@b.example\n\n## Work\n\n### Programmer, Engine Works\n\n\
             Programmer, October 1842 to 8 September 1843.\n\nNotes.\n\n- Note G\n\n## Education\n\n\
             ### Mathematics, Home\n\nMathematics, since 1830.\n\n## Awards\n\n\
             - Medal, Society, 2 January 1843. For G\n\n## Skills\n\n- Mathematics, Master: Series\n"
        );
        assert_eq!(content.metadata["title"], ["Résumé of Ada"]);
        assert_eq!(content.metadata["person"], ["Ada"]);
    }

    #[test]
    fn refusals() {
        for (text, expected) in [
            ("{", "not valid JSON"),
            ("[1]", "expected a résumé"),
            ("{\"name\": \"package\"}", "expected a résumé"),
        ] {
            let error = read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        assert!(read("[".repeat(100_000).as_bytes()).is_err());
    }

    #[test]
    fn dates() {
        for (iso, expected) in [
            ("2021-05-20", "20 May 2021"),
            ("2021-05", "May 2021"),
            ("2021", "2021"),
            ("2021-13-01", "2021-13-01"),
            ("Spring 2021", "Spring 2021"),
        ] {
            assert_eq!(date(iso), expected);
        }
    }
}
