//! The entropy port: unpredictable bytes.

/// A source of cryptographically secure random bytes.
pub trait Entropy {
    /// Fills `bytes`; two calls never give the same 16 bytes or more.
    fn fill(&self, bytes: &mut [u8]);
}
