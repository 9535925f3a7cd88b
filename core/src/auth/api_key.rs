//! API keys: several at once, so that one can be replaced while the other still works; in the clear or
//! as hashes.

use sha2::{Digest as _, Sha256};

use crate::{
    ports::Config,
    setting::{SettingFault, items},
};

/// Variable with the accepted keys, comma-separated, each as it is or as `sha256:` and the 64
/// hexadecimal digits of its SHA-256. Empty: no key is asked for, and only this machine is served.
pub const API_KEYS: &str = "api_keys";

/// What an entry of [`API_KEYS`] that is a hash begins with.
pub const HASHED: &str = "sha256:";

/// The accepted keys, as hashes.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Keys(Vec<[u8; 32]>);

impl Keys {
    /// Reads [`API_KEYS`].
    ///
    /// # Errors
    /// [`SettingFault`] for a hash that is none, of which it names the entry and not the value, and for
    /// commas without a key, which would let everybody in whom somebody meant to keep out.
    pub async fn configured(config: &impl Config) -> Result<Self, SettingFault> {
        Self::new(&config.get(API_KEYS).await?.unwrap_or_default())
    }

    /// Takes a value of [`API_KEYS`].
    ///
    /// # Errors
    /// As [`Keys::configured`].
    pub fn new(list: &str) -> Result<Self, SettingFault> {
        if !list.trim().is_empty() && items(list).next().is_none() {
            let expected = "keys with commas between, or nothing where none is asked for";
            return Err(SettingFault::concealed(API_KEYS, expected, "commas alone"));
        }
        let hashes = items(list).enumerate().map(|(at, entry)| match entry.strip_prefix(HASHED) {
            None => Ok(Sha256::digest(entry).into()),
            Some(digits) => unhex(digits).ok_or_else(|| {
                let expected = "a list of keys, or of sha256: and 64 hexadecimal digits";
                let told = format!("something else as entry {}", at + 1);
                SettingFault::concealed(API_KEYS, expected, told)
            }),
        });
        hashes.collect::<Result<_, _>>().map(Self)
    }

    /// Whether no key is configured.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `offered` is one of the keys.
    pub fn contains(&self, offered: &str) -> bool {
        let offered: [u8; 32] = Sha256::digest(offered).into();
        // Digests are compared, and all of them: the time taken tells nothing of a key.
        self.0.iter().fold(false, |known, key| known | (*key == offered))
    }
}

/// Whether `offered` is one of the comma-separated `keys`, or none are configured.
pub fn knows(keys: &str, offered: Option<&str>) -> bool {
    Keys::new(keys).is_ok_and(|keys| keys.is_empty() || keys.contains(offered.unwrap_or_default()))
}

fn unhex(digits: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let pairs = digits.as_bytes().chunks_exact(2);
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        let nibble = |digit: u8| char::from(digit).to_digit(16);
        let [high, low] = [nibble(*pair.first()?)?, nibble(*pair.last()?)?];
        *byte = u8::try_from(high << 4 | low).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SHA-256 of `new`, as `sha256sum` gives it.
    const NEW: &str = "sha256:11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437";

    #[test]
    fn keys() {
        let check = |keys: &str, offered, admitted: bool| {
            assert_eq!(knows(keys, offered), admitted, "{keys} {offered:?}");
        };
        check("", None, true);
        check(" ", None, true);
        check(" , ", None, false);
        check(",", Some(""), false);
        check("old, new", Some("old"), true);
        check("old, new", Some("new"), true);
        check("old", Some("ol"), false);
        check("old", Some(""), false);
        check("old", None, false);
        check(&format!("old,{NEW}"), Some("new"), true);
        check(&format!("old,{}", NEW.to_uppercase().replace("SHA", "sha")), Some("new"), true);
        check(NEW, Some("old"), false);
        // The hash is not a key.
        check(NEW, Some(NEW), false);
        check("sha256:", Some(""), false);
        check("sha256:", Some("sha256:"), false);
    }

    #[test]
    fn commas_without_a_key_are_no_list() {
        for list in [",", " , ", ",,\n"] {
            let fault = Keys::new(list).err().unwrap().to_string();
            let expected = "keys with commas between, or nothing where none is asked for";
            assert_eq!(fault, format!("variable api_keys: expected {expected}, got commas alone"));
        }
        assert!(Keys::new("").is_ok_and(|keys| keys.is_empty()));
        assert!(Keys::new(" \n").is_ok_and(|keys| keys.is_empty()));
    }

    #[test]
    fn a_hash_that_is_none_is_named_by_its_place() {
        for bad in
            ["old,sha256:123", &format!("old,{}0", NEW), &NEW.replace("sha256:11", "a,sha256:zé")]
        {
            let fault = Keys::new(bad).err().unwrap().to_string();
            assert!(fault.ends_with("got something else as entry 2"), "{fault}");
        }
    }
}
