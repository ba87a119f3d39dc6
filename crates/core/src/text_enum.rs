//! Enums that are stored and shown as one fixed word each.

/// A value that is none of the words of its enum.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not a {kind}; expected one of {expected}")]
pub struct UnknownWord {
    /// Name of the enum.
    pub kind: &'static str,
    /// What was given.
    pub value: String,
    /// The words there are, separated by commas.
    pub expected: String,
}

/// Declares an enum with a fixed word for each variant: `as_str`, `Display`, `FromStr` and serde.
macro_rules! text_enum {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "&'static str")]
        $vis enum $name { $($(#[$vmeta])* $variant,)+ }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word this value is stored and shown as.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::text_enum::UnknownWord;
            fn from_str(s: &str) -> Result<Self, $crate::text_enum::UnknownWord> {
                match s {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::text_enum::UnknownWord {
                        kind: stringify!($name),
                        value: s.to_owned(),
                        expected: [$($word),+].join(", "),
                    }),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::text_enum::UnknownWord;
            fn try_from(s: String) -> Result<Self, $crate::text_enum::UnknownWord> { s.parse() }
        }

        impl From<$name> for &'static str {
            fn from(value: $name) -> Self { value.as_str() }
        }
    };
}
pub(crate) use text_enum;
