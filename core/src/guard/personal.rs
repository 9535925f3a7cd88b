//! Personal data in a text: numbers of cards, accounts and insurance, addresses, telephones.
//!
//! Numbers with a check digit are checked, so that a year range or an ORCID is not taken for one.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

/// A kind of personal data.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Personal {
    Card,
    Email,
    Iban,
    Phone,
    Ssn,
}

/// The kinds with their patterns; where two match at one place, the earlier row has it.
static PATTERNS: LazyLock<Vec<(Personal, Regex)>> = LazyLock::new(|| {
    [
        (Personal::Email, r"(?-u)\b[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}\b"),
        (Personal::Iban, r"(?-u)\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"),
        (Personal::Card, r"(?-u)\b[2-6]\d{3}(?:[ -]?\d){9,15}\b"),
        (Personal::Ssn, r"(?-u)\b\d{3}-\d{2}-\d{4}\b"),
        (
            Personal::Phone,
            r"(?-u)(?:\+|\b00)[1-9](?:[ ()./-]{0,2}\d){7,13}\b|\(0?\d{3}\) ?\d{3}[ .-]?\d{4}\b|\b\d{3}[ .-]\d{3}[ .-]\d{4}\b|\b0[1-9]\d{1,3}[ /-]\d{3,4}[ -]?\d{3,5}\b",
        ),
    ]
    .into_iter()
    // A pattern that does not compile fails the tests; it never gets here.
    .filter_map(|(kind, pattern)| Some((kind, Regex::new(pattern).ok()?)))
    .collect()
});

/// Returns where personal data stands in `text`, in order, without overlaps.
pub(super) fn find(text: &str) -> Vec<(Range<usize>, Personal)> {
    let mut found: Vec<(Range<usize>, Personal)> = Vec::new();
    // Whatever is looked for has a digit or an `@`, and most sentences have neither.
    if !text.contains(|it: char| it.is_ascii_digit() || it == '@') {
        return found;
    }
    for (kind, pattern) in PATTERNS.iter() {
        for place in pattern.find_iter(text).filter(|place| is_valid(*kind, place.as_str())) {
            let place = place.range();
            if found.iter().all(|(other, _)| other.end <= place.start || place.end <= other.start) {
                found.push((place, *kind));
            }
        }
    }
    found.sort_by_key(|(place, _)| place.start);
    found
}

/// The digits of `text` alone, as telephone numbers are compared.
pub(super) fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn is_valid(kind: Personal, text: &str) -> bool {
    match kind {
        Personal::Card => luhn(text),
        Personal::Iban => mod_97(text),
        // The Social Security Administration gives out no 000, 666 or 9xx, no 00 and no 0000.
        Personal::Ssn => {
            !["000", "666", "9"].iter().any(|area| text.starts_with(area))
                && !text.contains("-00-")
                && !text.ends_with("-0000")
        }
        Personal::Email | Personal::Phone => true,
    }
}

/// ISO/IEC 7812-1, annex B.
fn luhn(text: &str) -> bool {
    let digits = text.bytes().rev().filter(u8::is_ascii_digit).map(|digit| u32::from(digit - b'0'));
    let sum: u32 = digits
        .enumerate()
        .map(|(at, digit)| if at % 2 == 1 { digit * 2 / 10 + digit * 2 % 10 } else { digit })
        .sum();
    sum % 10 == 0
}

/// ISO 13616: the country and check digits last, letters as 10 to 35, the remainder by 97 is 1.
fn mod_97(text: &str) -> bool {
    let signs: Vec<u8> = text.bytes().filter(u8::is_ascii_alphanumeric).collect();
    let (Some(head), Some(tail)) = (signs.get(..4), signs.get(4..)) else { return false };
    let remainder = tail.iter().chain(head).fold(0_u32, |remainder, sign| match sign {
        b'0'..=b'9' => (remainder * 10 + u32::from(sign - b'0')) % 97,
        _ => (remainder * 100 + u32::from(sign.to_ascii_uppercase() - b'A') + 10) % 97,
    });
    remainder == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(PATTERNS.len(), 5);
    }

    #[test]
    fn finds_what_is_personal() {
        let check = |text: &str, expected: &[(Personal, &str)]| {
            let found: Vec<_> =
                find(text).into_iter().map(|(place, kind)| (kind, &text[place])).collect();
            assert_eq!(found, expected, "{text}");
        };
        use Personal::{Card, Email, Iban, Phone, Ssn};
        check("card 4111 1111 1111 1111.", &[(Card, "4111 1111 1111 1111")]);
        check("card 5500-0000-0000-0004, ok", &[(Card, "5500-0000-0000-0004")]);
        check("378282246310005", &[(Card, "378282246310005")]);
        check("no card: 4111 1111 1111 1112", &[]);
        check("SSN 219-09-9999, not 000-12-3456 or 912-12-3456", &[(Ssn, "219-09-9999")]);
        check("to DE89 3704 0044 0532 0130 00 today", &[(Iban, "DE89 3704 0044 0532 0130 00")]);
        check("GB29NWBK60161331926819", &[(Iban, "GB29NWBK60161331926819")]);
        check("not GB29NWBK60161331926818", &[]);
        check(
            "mail a.b+c@mail.example.org or call +32 9 555 01 23.",
            &[(Email, "a.b+c@mail.example.org"), (Phone, "+32 9 555 01 23")],
        );
        check(
            "(555) 010-7788, 555-010-7788",
            &[(Phone, "(555) 010-7788"), (Phone, "555-010-7788")],
        );
        check("030 1234 5678", &[(Phone, "030 1234 5678")]);
    }

    #[test]
    fn leaves_other_numbers() {
        for text in [
            "2019-2023, 2022 - May 2025, 1898-1902",
            "ORCID 0000-0002-1825-0097",
            "Comptes rendus 126 (1898) 1101-1103, doi 10.1000/182",
            "ISBN 978-3-16-148410-0",
            "21.99 mg of 10,000 at 240 °C",
            "GPA 3.95/4.00, CS 350, 2020-09-01",
            "C++ @ CERN, user@ and @name",
            "+++ and ((((((((((((((((((((((((((((",
        ] {
            assert_eq!(find(text), [], "{text}");
        }
    }
}
