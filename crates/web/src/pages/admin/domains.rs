//! A tenant's own domains, as a part of its page in the console.

use tenantry_core::Timestamp;
use tenantry_core::domain::{DomainKind, ProofProblem};

use super::AdminTenantPage;
use crate::i18n::{self, format};
use crate::pages::samples;

/// The domains of a tenant and the form to add one.
#[derive(Debug, Clone, Default)]
pub struct TenantDomains {
    /// What it claims.
    pub rows: Vec<DomainRow>,
    /// What was typed into the form.
    pub typed: String,
    /// Whether the form is for a mail domain.
    pub for_mail: bool,
    /// What is wrong with it, as a code of the API.
    pub error: Option<&'static str>,
}

/// A domain.
#[derive(Debug, Clone)]
pub struct DomainRow {
    /// The name.
    pub name: String,
    /// What for.
    pub kind: DomainKind,
    /// Whether it is proven.
    pub verified: bool,
    /// Why the last look found no proof.
    pub problem: Option<ProofProblem>,
    /// Until when it is the tenant's though its proof is gone.
    pub kept_until: Option<Timestamp>,
    /// The name of the record to publish.
    pub record: String,
    /// What it says.
    pub value: String,
    /// Where a file can say so instead.
    pub file: Option<String>,
}

impl AdminTenantPage {
    /// What is wrong with the form that adds a domain, in words; empty where nothing is.
    pub(super) fn domain_error(&self) -> &'static str {
        let t = &self.chrome.t().domains;
        match self.domains.error {
            None => "",
            Some("domain_taken") => t.taken,
            Some("reserved") => t.reserved,
            Some("public_suffix") => t.public_suffix,
            Some("public_mail") => t.public_mail,
            Some("conflict") => t.too_many,
            Some(_) => t.invalid,
        }
    }

    pub(super) fn domain_kind(&self, row: &DomainRow) -> &'static str {
        let t = &self.chrome.t().domains;
        match row.kind {
            DomainKind::Host => t.host,
            DomainKind::Email => t.email,
        }
    }

    pub(super) fn domain_state(&self, row: &DomainRow) -> &'static str {
        let t = &self.chrome.t().domains;
        match (row.verified, row.problem) {
            (true, None) => t.verified,
            (true, Some(_)) => t.failing,
            (false, _) => t.pending,
        }
    }

    /// What the last look came to, where it found no proof.
    pub(super) fn domain_problem(&self, row: &DomainRow) -> Option<&'static str> {
        let t = &self.chrome.t().domains;
        Some(match row.problem? {
            ProofProblem::Missing => t.missing,
            ProofProblem::Different => t.different,
            ProofProblem::Unanswered => t.unanswered,
        })
    }

    pub(super) fn domain_kept_until(&self, row: &DomainRow) -> Option<String> {
        let time = format::date_time(self.chrome.locale, row.kept_until?);
        let text = self.chrome.t().domains.kept_until;
        Some(i18n::fill(text, "time", &time))
    }

    pub(super) fn verify_of(&self, row: &DomainRow) -> String {
        i18n::fill(self.chrome.t().domains.verify_of, "domain", &row.name)
    }

    pub(super) fn remove_of(&self, row: &DomainRow) -> String {
        i18n::fill(self.chrome.t().domains.remove_of, "domain", &row.name)
    }
}

impl DomainRow {
    /// The tone of the badge, a class of the style sheet.
    pub(super) fn tone(&self) -> &'static str {
        match (self.verified, self.problem) {
            (true, None) => "good",
            (true, Some(_)) => "bad",
            (false, _) => "warn",
        }
    }

    /// Whether what is to be published is still to be.
    pub(super) fn is_unsettled(&self) -> bool {
        !self.verified || self.problem.is_some()
    }
}

/// Domains in every state.
pub(super) fn samples() -> TenantDomains {
    let row = |name: &str, kind, verified, problem| DomainRow {
        name: name.to_owned(),
        kind,
        verified,
        problem,
        kept_until: None,
        record: format!("_tenantry.{name}"),
        value: "tenantry-verification=5f2c8a0e91d34b7fa6c3e8d2b1907f4a".to_owned(),
        file: (kind == DomainKind::Host)
            .then(|| format!("http://{name}/.well-known/tenantry-verification")),
    };
    TenantDomains {
        rows: vec![
            row("acme.example", DomainKind::Email, true, None),
            row("id.acme.example", DomainKind::Host, true, None),
            DomainRow {
                kept_until: Some(samples::time()),
                ..row(
                    "login.landesarbeitsgemeinschaft-donaudampfschifffahrt.example",
                    DomainKind::Host,
                    true,
                    Some(ProofProblem::Unanswered),
                )
            },
            row(
                "shop.acme.example",
                DomainKind::Host,
                false,
                Some(ProofProblem::Different),
            ),
        ],
        typed: "gmail.com".to_owned(),
        for_mail: true,
        error: Some("public_mail"),
    }
}
