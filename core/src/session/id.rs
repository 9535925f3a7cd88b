//! The id by which a client names a conversation.

use crate::ports::Entropy;

/// Longest id that a client may choose.
const MAX_ID: usize = 64;

/// Whether a client may use `id`: 1 to 64 of `[A-Za-z0-9_-]`.
pub fn is_id(id: &str) -> bool {
    (1..=MAX_ID).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

/// Makes an id that cannot be guessed: 128 random bits in hexadecimal.
pub fn new_id(entropy: &impl Entropy) -> String {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::SeededEntropy;

    #[test]
    fn ids() {
        assert!(is_id("a-B_9") && !is_id("") && !is_id("a.b") && !is_id(&"x".repeat(65)));
        let entropy = SeededEntropy::new(1);
        let (first, second) = (new_id(&entropy), new_id(&entropy));
        assert!(is_id(&first) && first.len() == 32 && first != second);
    }
}
