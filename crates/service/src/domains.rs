//! Domains of tenants' own: claimed, proven, looked at again, given up.
//!
//! A claim holds nothing: several tenants may claim one domain, and whoever proves it first has it,
//! by the registry's own constraint. Only a proven host leads to a tenant, and only a proven mail
//! domain to its sign-in. A domain is the tenant's over all its generations: it says who the tenant
//! is, and not what is in its database. Looking for a proof is in [`proof`], doing so again and again
//! in [`recheck`].

mod proof;
mod recheck;

use std::net::SocketAddr;
use std::time::Duration;

use tenantry_core::domain::{DomainKind, DomainName, ProofProblem, ProofWay};
use tenantry_core::webhooks::EventKind;
use tenantry_core::{TenantId, Timestamp};
use tenantry_dns::Resolver;
use tenantry_store::ControlTx;
pub use tenantry_store::control::DomainRecord;

pub use proof::Publish;

use crate::{FieldError, Refusal, Service};

/// The most domains of one tenant, of both kinds together.
const MOST: usize = 100;

/// The port that the file of a proof is asked for at.
const HTTP: u16 = 80;

/// How domains are proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProofRules {
    /// Who is asked for text records.
    pub resolver: Resolver,
    /// The port that the file of a proof is asked for at without TLS.
    pub http_port: u16,
    /// After how long without its proof a domain is taken from its tenant.
    pub lost_after: Duration,
}

impl ProofRules {
    /// How long a domain is a tenant's without its proof, where nothing else is set: time enough to
    /// notice that somebody cleaned up a zone.
    pub const LOST_AFTER: Duration = Duration::from_hours(7 * 24);

    /// The rules by which this server is asked, or else those that the system asks.
    pub fn asking(server: Option<SocketAddr>) -> Self {
        Self {
            resolver: server.map_or_else(Resolver::of_the_system, Resolver::at),
            http_port: HTTP,
            lost_after: Self::LOST_AFTER,
        }
    }
}

/// What looking for a proof came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The domain as it is now.
    pub domain: DomainRecord,
    /// Why no proof was found; `None` where there is one.
    pub problem: Option<ProofProblem>,
}

impl Service {
    /// Reads a domain that somebody wants for a tenant.
    fn claimable(
        &self,
        field: &str,
        kind: DomainKind,
        text: &str,
    ) -> Result<DomainName, FieldError> {
        let wrong = |code, message: String| FieldError {
            field: field.to_owned().into(),
            code,
            message,
        };
        let settings = self.settings();
        let read = text.parse::<DomainName>();
        let name = read.and_then(|name| name.claimable(kind).map(|()| name));
        let name = name.map_err(|error| wrong(error.code(), error.to_string()))?;
        let own = name.is_within(&settings.base_domain)
            || settings.public_url.host_str() == Some(name.as_str());
        if kind == DomainKind::Host && own {
            let message = "this belongs to the platform itself; a tenant has its slug there";
            return Err(wrong("reserved", message.to_owned()));
        }
        Ok(name)
    }

    /// Reads the hosts that somebody wants for a tenant; each is there once.
    pub(crate) fn claimable_hosts(
        &self,
        texts: &[String],
    ) -> Result<Vec<DomainName>, Vec<FieldError>> {
        let (mut names, mut errors) = (Vec::new(), Vec::new());
        for (place, text) in texts.iter().enumerate() {
            match self.claimable(&format!("domains[{place}]"), DomainKind::Host, text) {
                Ok(name) if names.contains(&name) => {}
                Ok(name) => names.push(name),
                Err(error) => errors.push(error),
            }
        }
        if names.len() > MOST {
            let message = format!("a tenant has at most {MOST} domains");
            errors.push(FieldError::new("domains", "too_many", message));
        }
        if errors.is_empty() {
            Ok(names)
        } else {
            Err(errors)
        }
    }

    /// Claims a domain for a tenant; harmless where it is claimed already.
    pub(crate) async fn claim_domain(
        &self,
        tx: &mut ControlTx,
        tenant: TenantId,
        kind: DomainKind,
        name: &DomainName,
    ) -> Result<(), Refusal> {
        let holder = tx.domains().holder(kind, name).await?;
        if holder.is_some_and(|holder| holder != tenant) {
            return Err(Refusal::DomainTaken);
        }
        let token = proof::token(self.entropy());
        let now = self.clock().now();
        tx.domains().add(tenant, (kind, name), &token, now).await?;
        Ok(())
    }

    /// Claims a domain for a tenant, who is told what to publish there. Claimed before, nothing
    /// changes about it.
    pub async fn add_domain(
        &self,
        tenant: TenantId,
        kind: DomainKind,
        text: &str,
    ) -> Result<DomainRecord, Refusal> {
        let name = self.claimable("domain", kind, text);
        let name = name.map_err(|error| Refusal::Validation(vec![error]))?;
        let mut tx = self.control().begin().await?;
        tx.tenants()
            .lookup(tenant)
            .await?
            .ok_or(Refusal::NotFound)?;
        let there = tx.domains().list(tenant).await?;
        let known = there
            .iter()
            .any(|one| (one.kind, &one.name) == (kind, &name));
        if there.len() >= MOST && !known {
            return Err(Refusal::Conflict(format!(
                "the tenant has {MOST} domains already; remove one first"
            )));
        }
        self.claim_domain(&mut tx, tenant, kind, &name).await?;
        let added = tx.domains().find(tenant, kind, &name).await?;
        tx.commit().await?;
        added.ok_or(Refusal::NotFound)
    }

    /// What a tenant claims, mail domains first.
    pub async fn list_domains(&self, tenant: TenantId) -> Result<Vec<DomainRecord>, Refusal> {
        Ok(self.control().read().await?.domains().list(tenant).await?)
    }

    /// A domain as a tenant claims it; without a kind the host, else the mail domain.
    async fn find_domain(
        &self,
        tx: &mut ControlTx,
        tenant: TenantId,
        kind: Option<DomainKind>,
        text: &str,
    ) -> Result<DomainRecord, Refusal> {
        let name: DomainName = text.parse().map_err(|_| Refusal::NotFound)?;
        let kinds = kind.map_or(vec![DomainKind::Host, DomainKind::Email], |kind| vec![kind]);
        for kind in kinds {
            if let Some(found) = tx.domains().find(tenant, kind, &name).await? {
                return Ok(found);
            }
        }
        Err(Refusal::NotFound)
    }

    /// Gives a domain up; from the commit on it leads nowhere.
    pub async fn remove_domain(
        &self,
        tenant: TenantId,
        kind: Option<DomainKind>,
        text: &str,
    ) -> Result<DomainRecord, Refusal> {
        let mut tx = self.control().begin().await?;
        let found = self.find_domain(&mut tx, tenant, kind, text).await?;
        if !tx.domains().remove(tenant, found.kind, &found.name).await? {
            return Err(Refusal::NotFound);
        }
        if found.verified_at.is_some() {
            self.tell_domains_changed(&mut tx, tenant).await?;
        }
        tx.commit().await?;
        Ok(found)
    }

    /// Makes these the hosts that a tenant claims: what is new is claimed, what is not among them is
    /// given up, proven or not.
    pub(crate) async fn set_hosts(
        &self,
        tx: &mut ControlTx,
        tenant: TenantId,
        names: &[DomainName],
    ) -> Result<(), Refusal> {
        for there in tx.domains().list(tenant).await? {
            if there.kind == DomainKind::Host && !names.contains(&there.name) {
                tx.domains().remove(tenant, there.kind, &there.name).await?;
            }
        }
        for name in names {
            self.claim_domain(tx, tenant, DomainKind::Host, name)
                .await?;
        }
        Ok(())
    }

    /// Looks for the proof of a domain now. The first tenant whose proof is found has it.
    pub async fn verify_domain(
        &self,
        tenant: TenantId,
        kind: Option<DomainKind>,
        text: &str,
    ) -> Result<Looked, Refusal> {
        let mut tx = self.control().read().await?;
        let claim = self.find_domain(&mut tx, tenant, kind, text).await?;
        drop(tx);
        let looked = self.look_for_proof(&claim).await;
        self.note_look(&claim, looked).await?;
        let mut tx = self.control().read().await?;
        let domain = self
            .find_domain(&mut tx, tenant, Some(claim.kind), claim.name.as_str())
            .await?;
        Ok(Looked {
            domain,
            problem: looked.err(),
        })
    }

    /// Notes what looking came to.
    async fn note_look(
        &self,
        claim: &DomainRecord,
        looked: Result<ProofWay, ProofProblem>,
    ) -> Result<(), Refusal> {
        let now = self.clock().now();
        let mut tx = self.control().begin().await?;
        let noted = match looked {
            Ok(way) => {
                let next = now + recheck::PAUSE;
                match tx.domains().mark_proven(claim, way, now, next).await {
                    Err(error) if error.is_unique() => return Err(Refusal::DomainTaken),
                    noted => noted?,
                }
            }
            Err(problem) => {
                let next = now + recheck::FAILING_PAUSE;
                tx.domains().mark_unfound(claim, problem, now, next).await?
            }
        };
        // A claim that was given up meanwhile is nobody's, whatever was found.
        if !noted {
            return Err(Refusal::NotFound);
        }
        if looked.is_ok() && claim.verified_at.is_none() {
            self.tell_domains_changed(&mut tx, claim.tenant).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Tells receivers that where a tenant is reached changed.
    async fn tell_domains_changed(
        &self,
        tx: &mut ControlTx,
        tenant: TenantId,
    ) -> Result<(), Refusal> {
        if let Some(tenant) = tx.tenants().lookup(tenant).await? {
            let event = EventKind::TenantUpdated;
            let told = self.shared().announce_tenant(tx, event, &tenant);
            told.await?;
        }
        Ok(())
    }

    /// Until when a proven domain whose proof is gone stays its tenant's.
    pub fn domain_kept_until(&self, domain: &DomainRecord) -> Option<Timestamp> {
        domain.verified_at?;
        Some(domain.failing_since? + self.settings().domains.lost_after)
    }
}
