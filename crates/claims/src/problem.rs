//! How an error looks to an API client (RFC 9457, `application/problem+json`).

use serde::{Deserialize, Serialize};

/// An error. Programs read `code`, people read `title` and `detail`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A URI that stands for the kind of problem; `about:blank` where `code` says it all.
    #[serde(rename = "type", default = "about_blank")]
    pub kind: String,
    /// The kind in words, the same for each problem of the kind.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// This one problem in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The kind as one fixed word, such as `validation_failed`.
    pub code: String,
    /// What the answer's `X-Request-Id` says, for whoever asks an operator about it.
    pub request_id: String,
    /// The fields at fault; none but for `validation_failed`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldProblem {
    /// The field, as in the request; inner ones with a dot, such as `owner.email`.
    pub field: String,
    /// What is wrong, as one fixed word.
    pub code: String,
    /// What is wrong, for people.
    pub message: String,
}

fn about_blank() -> String {
    "about:blank".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_as_the_contract_says() {
        let problem = Problem {
            kind: about_blank(),
            title: "The request has fields that are not valid".to_owned(),
            status: 422,
            detail: Some("email is missing".to_owned()),
            code: "validation_failed".to_owned(),
            request_id: "r1".to_owned(),
            errors: vec![FieldProblem {
                field: "email".to_owned(),
                code: "required".to_owned(),
                message: "is missing".to_owned(),
            }],
        };
        let json = serde_json::json!({
            "type": "about:blank",
            "title": "The request has fields that are not valid",
            "status": 422,
            "detail": "email is missing",
            "code": "validation_failed",
            "request_id": "r1",
            "errors": [{"field": "email", "code": "required", "message": "is missing"}],
        });
        assert_eq!(serde_json::to_value(&problem).unwrap(), json);
        assert_eq!(serde_json::from_value::<Problem>(json).unwrap(), problem);
    }

    #[test]
    fn a_problem_without_fields_has_no_list_of_them() {
        let json = r#"{"title":"Not found","status":404,"code":"not_found","request_id":"r2"}"#;
        let problem: Problem = serde_json::from_str(json).unwrap();
        assert_eq!(problem.kind, "about:blank");
        let again = serde_json::to_value(&problem).unwrap();
        assert_eq!(again.get("errors"), None);
        assert_eq!(again.get("detail"), None);
    }
}
