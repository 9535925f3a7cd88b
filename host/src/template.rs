//! Texts with holes: `"https://{{ api_host }}/v1"`.
//!
//! Knows how to find the holes and fill them. Which names exist and what they hold is the business
//! of the manifest and of the variables.

use std::fmt;

/// A text in which `{{ name }}` stands for the value of an application variable.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Template {
    parts: Vec<Part>,
}

impl Template {
    /// Splits a text into literal pieces and variable names.
    ///
    /// # Errors
    ///
    /// An opening `{{` without its `}}`, or a name between them that is not lower snake case.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find("{{") {
            if open > 0 {
                parts.push(Part::Literal(rest[..open].to_owned()));
            }
            let after = &rest[open + 2..];
            let close = after
                .find("}}")
                .ok_or_else(|| TemplateError::Unclosed { text: text.to_owned() })?;
            let name = after[..close].trim();
            if !is_variable_name(name) {
                return Err(TemplateError::Name { text: text.to_owned(), name: name.to_owned() });
            }
            parts.push(Part::Variable(name.to_owned()));
            rest = &after[close + 2..];
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// The names of the variables in the text, in order, with repeats.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Variable(name) => Some(name.as_str()),
        })
    }

    /// Fills the holes; `Err` is the first name that `lookup` does not know.
    ///
    /// # Errors
    ///
    /// The unknown name.
    pub fn render<'v>(&self, lookup: impl Fn(&str) -> Option<&'v str>) -> Result<String, String> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Variable(name) => text.push_str(lookup(name).ok_or_else(|| name.clone())?),
            }
        }
        Ok(text)
    }
}

/// Why a text is not a template.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TemplateError {
    /// The hole holds something that cannot be a variable.
    Name {
        /// The whole text.
        text: String,
        /// What stands between the braces.
        name: String,
    },
    /// The hole has no end.
    Unclosed {
        /// The whole text.
        text: String,
    },
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { text, name } => write!(
                f,
                "{text:?} refers to {name:?}, which is not a variable name; use lower snake case"
            ),
            Self::Unclosed { text } => {
                write!(f, "{text:?} opens {{{{ without a closing }}}}; add it")
            }
        }
    }
}

impl std::error::Error for TemplateError {}

/// Whether a name may be an application variable: lower snake case, a letter first.
pub(crate) fn is_variable_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Part {
    Literal(String),
    Variable(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let lookup = |name: &str| (name == "host").then_some("example.com");
        assert_eq!(Template::parse(text).unwrap().render(lookup), Ok(expected.into()));
    }

    #[test]
    fn holes_are_filled_and_text_is_kept() {
        check("", "");
        check("plain", "plain");
        check("{{host}}", "example.com");
        check("https://{{ host }}:443/{{  host  }}", "https://example.com:443/example.com");
    }

    #[test]
    fn unknown_names_are_reported() {
        let template = Template::parse("a {{ other }}").unwrap();
        assert_eq!(template.render(|_| None), Err("other".into()));
        assert_eq!(template.names().collect::<Vec<_>>(), ["other"]);
    }

    #[test]
    fn broken_templates_are_refused() {
        assert!(matches!(Template::parse("{{ host"), Err(TemplateError::Unclosed { .. })));
        assert!(matches!(Template::parse("{{ Host }}"), Err(TemplateError::Name { .. })));
        assert!(matches!(Template::parse("{{}}"), Err(TemplateError::Name { .. })));
    }
}
