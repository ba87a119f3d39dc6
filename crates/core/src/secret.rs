//! Values that must not be printed, logged or serialised.

use zeroize::Zeroize;

/// A secret: no `Debug`, no `Display`, no serde, and wiped from memory when dropped. Whoever needs
/// the value says so with [`expose`](Self::expose), which is easy to search for.
#[derive(Clone)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Keeps `value` as a secret.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl From<String> for Secret<String> {
    fn from(value: String) -> Self {
        Self(value)
    }
}
