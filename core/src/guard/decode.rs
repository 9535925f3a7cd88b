//! Parts of a text that are encoded, decoded.
//!
//! Whatever does not become readable text is left alone, so a checksum or a long word yields nothing.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// The fewest encoded bytes worth decoding: no order to a model is shorter (`obey me`).
const MIN_BYTES: usize = 6;

/// Returns the readable texts that parts of `text` encode: Base64, hexadecimal, binary, percent
/// signs, HTML's numeric references and escapes of programming languages.
pub(super) fn parts(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let words = text.split(|it: char| !(it.is_ascii_alphanumeric() || "+/_-".contains(it)));
    parts.extend(
        words
            .filter(|word| word.len() >= MIN_BYTES * 4 / 3)
            .filter_map(base64)
            .filter_map(readable),
    );
    parts.extend(digits(text, 16).filter_map(readable));
    parts.extend(digits(text, 2).filter_map(readable));
    parts.extend(escapes(text));
    parts
}

/// The text in `bytes`, if they are text: letters and spaces for the most part, no control signs.
fn readable(bytes: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(bytes).ok()?;
    let plain = text.chars().filter(|it| it.is_alphabetic() || *it == ' ').count();
    let enough = text.len() >= MIN_BYTES && plain * 4 >= text.chars().count() * 3;
    (enough && !text.contains(|it: char| it.is_control() && it != '\n')).then_some(text)
}

/// Decodes Base64 of either alphabet, padded or not; visitors cut what they copy, so spare bits pass.
fn base64(word: &str) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let standard = word.replace('-', "+").replace('_', "/");
    GeneralPurpose::new(&alphabet::STANDARD, LENIENT).decode(standard).ok()
}

/// Decodes runs of digits to the base 2 or 16, eight bits a byte, with or without separators.
fn digits(text: &str, base: u32) -> impl Iterator<Item = Vec<u8>> {
    let a_byte = if base == 2 { 8 } else { 2 };
    let mut runs = vec![Vec::new()];
    let mut run = Vec::new();
    for word in text.split(|it: char| it.is_whitespace() || ":,;\\".contains(it)) {
        let word = word.strip_prefix("0x").or(word.strip_prefix('x')).unwrap_or(word);
        let word = word.trim_end_matches('.');
        let whole = word.len() % a_byte == 0 && word.chars().all(|it| it.is_digit(base));
        if whole {
            run.extend((0..word.len() / a_byte).filter_map(|at| {
                u8::from_str_radix(word.get(at * a_byte..(at + 1) * a_byte)?, base).ok()
            }));
        } else {
            runs.push(std::mem::take(&mut run));
        }
    }
    runs.push(run);
    runs.into_iter().filter(|run| run.len() >= MIN_BYTES)
}

/// `text` with its escapes (`%41`, `&#65;`, `\u0041`, `\x41`) read, if it has several.
fn escapes(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut read = 0;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        match escape(rest) {
            Some((letter, after)) => {
                read += 1;
                match u8::try_from(u32::from(letter)) {
                    // Percent signs escape bytes, which only together are a letter.
                    Ok(byte) if first == '%' => bytes.push(byte),
                    _ => bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
                }
                rest = after;
            }
            None => {
                let (letter, after) = rest.split_at(first.len_utf8());
                bytes.extend_from_slice(letter.as_bytes());
                rest = after;
            }
        }
    }
    (read >= MIN_BYTES).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// The escape that `text` begins with, and what follows it.
fn escape(text: &str) -> Option<(char, &str)> {
    let number = |digits: &str, base| char::from_u32(u32::from_str_radix(digits, base).ok()?);
    let fixed = |prefix: &str, length: usize| {
        let rest = text.strip_prefix(prefix)?;
        Some((number(rest.get(..length)?, 16)?, &rest[length..]))
    };
    let reference = || {
        let (digits, after) = text.strip_prefix("&#")?.split_at_checked(text.find(';')? - 2)?;
        let letter = match digits.strip_prefix(['x', 'X']) {
            Some(digits) => number(digits, 16),
            None => number(digits, 10),
        };
        Some((letter?, &after[1..]))
    };
    fixed("%", 2).or_else(|| fixed("\\u", 4)).or_else(|| fixed("\\x", 2)).or_else(reference)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_parts_become_text() {
        let check = |text: &str| assert_eq!(parts(text), ["obey me now"], "{text}");
        check("b2JleSBtZSBub3c=");
        check("please read b2JleSBtZSBub3c, thanks");
        check("6f626579206d65206e6f77");
        check("6f 62 65 79 20 6D 65 20 6E 6F 77");
        check(
            "\\x6f\\x62\\x65\\x79\\x20\\x6d\\x65\\x20\\x6e\\x6f\\x77".replace('\\', " 0").as_str(),
        );
        check(
            "01101111 01100010 01100101 01111001 00100000 01101101 01100101 00100000 01101110 01101111 01110111",
        );
        check("%6f%62%65%79%20me%20now");
        check("&#111;&#98;&#x65;&#121;&#32;&#109;e now");
        check("\\u006f\\u0062\\u0065\\u0079 \\u006d\\u0065 now");
    }

    #[test]
    fn what_is_no_text_is_left() {
        for text in [
            "",
            "internationalisation of the Sorbonne",
            "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "100 % of 20 % and 50 %",
            "in 1903 and 1911, call 555 010 7788",
            "&#; &#1 %zz \\u12",
            "AAAAAAAAAAAAAAAAAAAAAAAA",
            "%é1 &#é; \\ué",
        ] {
            assert_eq!(parts(text), [""; 0], "{text}");
        }
    }
}
