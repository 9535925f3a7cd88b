//! Bytes to text, for formats that do not fix their encoding.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// Decodes by byte order mark, else `label` where the file names its encoding, else as UTF-8, and
/// what is not UTF-8 as Windows-1252, which spreadsheets still write.
pub(crate) fn decode(bytes: &[u8], label: Option<&[u8]>) -> String {
    let marked = Encoding::for_bom(bytes).map(|(encoding, _)| encoding);
    let named = || label.and_then(Encoding::for_label);
    let guessed = || std::str::from_utf8(bytes).map_or(WINDOWS_1252, |_| UTF_8);
    let encoding = marked.or_else(named).unwrap_or_else(guessed);
    encoding.decode(bytes).0.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings() {
        assert_eq!(decode(b"\xef\xbb\xbfa\xc3\xa9", None), "aé");
        assert_eq!(decode(b"\xff\xfea\0\xe9\0", None), "aé");
        assert_eq!(decode(b"a\xe9", None), "aé");
        assert_eq!(decode("aé".as_bytes(), None), "aé");
        assert_eq!(decode(b"a\xb1", Some(b"iso-8859-2")), "aą");
    }
}
