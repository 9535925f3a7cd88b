//! Headings and file names to the letters that ids are made of.

use unicode_normalization::UnicodeNormalization as _;

/// Lower-cases, folds accents (`é` → `e`, `ł` → `l`), turns spaces and ` > ` into single hyphens
/// and drops whatever is not `a`–`z`, `0`–`9` or a hyphen.
pub fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for letter in fold(text).chars() {
        let letter = if letter.is_whitespace() { '-' } else { letter };
        let legal = letter.is_ascii_alphanumeric() || (letter == '-' && !slug.ends_with('-'));
        if legal {
            slug.push(letter);
        }
    }
    slug.trim_matches('-').to_owned()
}

/// Lower-cases and folds accents, so that `Skłodowska` is found by `sklodowska`.
pub(crate) fn fold(text: &str) -> String {
    // Letters with a stroke have no decomposition in Unicode.
    let stroke = |letter: char| match letter {
        'ł' | 'Ł' => 'l',
        'ø' | 'Ø' => 'o',
        'đ' | 'Đ' => 'd',
        '\u{2019}' => '\'',
        other => other,
    };
    text.nfkd()
        .filter(|letter| !unicode_normalization::char::is_combining_mark(*letter))
        .map(stroke)
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs() {
        for (text, expected) in [
            ("Curriculum Vitae > Licence ès sciences", "curriculum-vitae-licence-es-sciences"),
            ("Marie Skłodowska-Curie", "marie-sklodowska-curie"),
            ("  C++ & C# (2024)!  ", "c-c-2024"),
            ("—", ""),
        ] {
            assert_eq!(slug(text), expected, "{text}");
        }
    }
}
