//! What an access token says (RFC 9068).

use serde::{Deserialize, Serialize};

/// The claims of an access token. The four about the tenant are there together or, for an admin of
/// the platform, not at all.
///
/// An unknown claim is passed over (RFC 7519, section 4), so that an application built against an
/// older version of this type goes on reading newer tokens; a claim that stands twice is an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued the token: the origin of the public URL.
    pub iss: String,
    /// Whom it is for.
    pub aud: String,
    /// The user's or platform admin's id, a UUID.
    pub sub: String,
    /// When it was issued, in seconds since 1970 UTC.
    pub iat: i64,
    /// From when on it is no longer good, in seconds since 1970 UTC.
    pub exp: i64,
    /// The token's own id.
    pub jti: String,
    /// The session it belongs to.
    pub sid: String,
    /// The tenant's id, a UUID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tid: Option<String>,
    /// The tenant's name in addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tslug: Option<String>,
    /// The tenant's short human number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcode: Option<String>,
    /// The tenant's generation: a whole number, 1 at first, raised each time its database is made
    /// anew. A token of an earlier generation is void.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tgen: Option<i64>,
    /// `owner`, `admin`, `member`, or outside any tenant `platform_admin`.
    pub role: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admin() -> Claims {
        Claims {
            iss: "https://id.example.org".to_owned(),
            aud: "https://id.example.org".to_owned(),
            sub: "0192f0c1-0000-7000-8000-000000000001".to_owned(),
            iat: 1_767_225_600,
            exp: 1_767_226_200,
            jti: "0192f0c1-0000-7000-8000-000000000002".to_owned(),
            sid: "0192f0c1-0000-7000-8000-000000000003".to_owned(),
            tid: None,
            tslug: None,
            tcode: None,
            tgen: None,
            role: "platform_admin".to_owned(),
        }
    }

    #[test]
    fn a_platform_admin_has_no_word_about_a_tenant() {
        let json = serde_json::to_value(admin()).unwrap();
        let mut names: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
        names.sort();
        assert_eq!(
            names,
            ["aud", "exp", "iat", "iss", "jti", "role", "sid", "sub"]
        );
        assert_eq!(serde_json::from_value::<Claims>(json).unwrap(), admin());
    }

    #[test]
    fn a_person_in_a_tenant_goes_there_and_back() {
        let member = Claims {
            tid: Some("0192f0c1-0000-7000-8000-000000000004".to_owned()),
            tslug: Some("acme".to_owned()),
            tcode: Some("TEN00001".to_owned()),
            tgen: Some(3),
            role: "member".to_owned(),
            ..admin()
        };
        let json = serde_json::to_string(&member).unwrap();
        assert!(json.contains(r#""tgen":3"#), "{json}");
        assert_eq!(serde_json::from_str::<Claims>(&json).unwrap(), member);
    }

    #[test]
    fn unknown_claims_are_passed_over_and_doubled_ones_refused() {
        let json = serde_json::to_string(&admin()).unwrap();
        let more = json.replacen('{', r#"{"new":1,"#, 1);
        assert_eq!(serde_json::from_str::<Claims>(&more).unwrap(), admin());
        let doubled = json.replacen('{', r#"{"role":"owner","#, 1);
        assert!(serde_json::from_str::<Claims>(&doubled).is_err());
    }
}
