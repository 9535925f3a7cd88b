//! Numbers in running text, in one form: `141,358`, `3.90`, `three`, `2nd`, `2019-06`.

/// The numbers a word stands for, in their normal form; none for a word like `cs350`.
pub(super) fn numbers(word: &str) -> Vec<String> {
    let lower = word.to_lowercase();
    if let Some(at) = SPELLED.iter().position(|it| *it == lower) {
        return vec![SPELLED_VALUES.get(at).map(ToString::to_string).unwrap_or_default()];
    }
    let parts: Vec<&str> = lower.split(['-', '–', '—', ':', '×']).collect();
    let found: Vec<String> = parts.iter().filter_map(|part| number(part)).collect();
    if found.len() == parts.len() { found } else { Vec::new() }
}

fn number(word: &str) -> Option<String> {
    let word = word.trim_matches(|it: char| !it.is_alphanumeric());
    let end = word.find(|it: char| !it.is_ascii_digit() && it != ',' && it != '.');
    let (digits, unit) = word.split_at(end.unwrap_or(word.len()));
    let digits = digits.trim_end_matches([',', '.']);
    if !digits.starts_with(|it: char| it.is_ascii_digit()) || unit.chars().count() > 4 {
        return None;
    }
    let groups: Vec<&str> = digits.split(',').collect();
    let thousands = groups.len() > 1
        && groups.iter().skip(1).all(|it| it.get(..3).is_some_and(|it| !it.contains('.')));
    let digits = if thousands { digits.replace(',', "") } else { digits.replace(',', ".") };
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let thousand = if unit == "k" && fraction.is_empty() { "000" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(format!("{whole}{thousand}{point}{fraction}"))
}

/// Spelled numbers; `one` is too often no number.
const SPELLED: &[&str] = &[
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
];
const SPELLED_VALUES: &[u8] = &[
    2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 30, 40, 50, 60, 70, 80, 90,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_form() {
        for (word, expected) in [
            ("141,358", "141358"),
            ("3.90", "3.9"),
            ("4.00", "4"),
            ("€24,500", "24500"),
            ("50%", "50"),
            ("1st", "1"),
            ("20k", "20000"),
            ("06", "6"),
            ("1906–08", "1906 8"),
            ("2019-06-01", "2019 6 1"),
            ("3,5", "3.5"),
            ("three", "3"),
            ("CS350", ""),
            ("x-ray", ""),
            ("K-12", ""),
        ] {
            assert_eq!(numbers(word).join(" "), expected, "{word}");
        }
    }
}
