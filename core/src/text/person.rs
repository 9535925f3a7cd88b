//! The name at the head of a CV.

/// Words that stand before the name, or in its place.
const LABELS: &[&str] = &[
    "cv",
    "curriculum",
    "vitae",
    "resume",
    "résumé",
    "lebenslauf",
    "of",
    "about",
    "me",
    "profile",
];
/// Words that head a CV and are nobody's name.
const TITLES: &[&str] = &[
    "academic",
    "analyst",
    "career",
    "contact",
    "data",
    "designer",
    "details",
    "developer",
    "education",
    "employment",
    "engineer",
    "experience",
    "history",
    "information",
    "personal",
    "professional",
    "skills",
    "software",
    "student",
    "summary",
    "work",
];
/// Parts of names that are written small.
const PARTICLES: &[&str] = &[
    "al", "bin", "da", "de", "del", "den", "der", "di", "do", "dos", "du", "e", "el", "i", "la",
    "le", "ten", "ter", "van", "von", "y", "zu",
];
/// Words of a full name.
const LENGTHS: std::ops::RangeInclusive<usize> = 2..=6;

/// The name that the first heading of `markdown` is, with or without "CV of" before it and a degree
/// or profession behind it; `None` where it is something else.
pub(super) fn heading(markdown: &str) -> Option<String> {
    let line = markdown.lines().map(str::trim).find(|line| !line.is_empty())?;
    let heading = line.strip_prefix("# ")?;
    let parts = heading.split([',', '|', '(', ':', '–', '—', '·']);
    parts.flat_map(|part| part.split(" - ")).find_map(name)
}

fn name(part: &str) -> Option<String> {
    let is_in = |list: &[&str], word: &str| list.contains(&word.to_lowercase().as_str());
    let is_label = |word: &&str| is_in(LABELS, word);
    let words: Vec<&str> = part.split_whitespace().skip_while(is_label).collect();
    let is_part = |word: &&str| {
        let is_letter = |it: char| it.is_alphabetic() || matches!(it, '-' | '\'' | '’' | '.');
        word.chars().all(is_letter)
            && (word.starts_with(char::is_uppercase) || PARTICLES.contains(word))
    };
    let is_name = LENGTHS.contains(&words.len())
        && words.iter().all(is_part)
        && !words.iter().any(|word| is_label(word) || is_in(TITLES, word))
        && [words.first(), words.last()]
            .into_iter()
            .flatten()
            .all(|word| word.starts_with(char::is_uppercase));
    is_name.then(|| words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::heading;

    #[test]
    fn names_are_told_from_titles() {
        for (markdown, expected) in [
            ("# Fiifi Quartey-Addo\n\nDeveloper", Some("Fiifi Quartey-Addo")),
            ("\n# CV of Ludwig van der Rohe, MSc\n", Some("Ludwig van der Rohe")),
            ("# Curriculum Vitae – Ana M. O'Neill", Some("Ana M. O'Neill")),
            ("# Zoë Ångström - Data Analyst", Some("Zoë Ångström")),
            ("# Curriculum Vitae", None),
            ("# Résumé", None),
            ("# About me", None),
            ("# Jobs since 2019", None),
            ("# Work Experience", None),
            ("# Senior Data Analyst", None),
            ("# Work and life", None),
            ("## Fiifi Quartey-Addo", None),
            ("Fiifi Quartey-Addo\n# Work Experience", None),
            ("", None),
        ] {
            assert_eq!(heading(markdown).as_deref(), expected, "{markdown}");
        }
    }
}
