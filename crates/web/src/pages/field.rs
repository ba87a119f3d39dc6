//! What is wrong with a field of a form, in words.

use tenantry_core::Locale;
use tenantry_core::password::PasswordPolicy;

use super::password::PasswordIssue;
use crate::i18n;

/// A field's error in words, by its name and code in the API.
pub fn words(locale: Locale, field: &str, code: &str, policy: PasswordPolicy) -> String {
    let t = &i18n::of(locale).field;
    let text = match (field, code) {
        (_, "required") => t.required,
        (_, "taken") => t.taken,
        ("email", _) => t.invalid_email,
        ("username", _) => t.invalid_username,
        ("slug", _) => t.invalid_slug,
        ("password" | "new_password" | "current_password", code) => {
            return PasswordIssue::from_code(code).text(locale, policy);
        }
        _ => t.invalid,
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_has_words_of_its_own() {
        let policy = PasswordPolicy::default();
        let say = |field, code| words(Locale::En, field, code, policy);
        assert!(say("email", "invalid").contains("e-mail"));
        assert!(say("username", "invalid").contains("username"));
        assert!(say("username", "taken").contains("taken"));
        assert!(say("password", "too_short").contains("15"));
        assert!(say("full_name", "invalid").contains("not valid"));
    }
}
