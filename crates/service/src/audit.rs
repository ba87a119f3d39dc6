//! The audit: who did what, when, to which tenant, from where, and how it ended.
//!
//! An entry is begun before its act, so that there is no act without one, and settled after it. The
//! boundary does both: the guard of every route and the dispatch of every command. Use cases know
//! nothing of it, but for what the program does by itself. Settled entries are sealed into a chain
//! ([`sealing`]), which anybody with the master key can verify ([`verify`]).

mod list;
mod sealing;
mod verify;

use std::time::Duration;

use serde_json::{Value, json};
use tenantry_core::audit::{Action, Actor, Entry, Outcome, Source, chosen};
use tenantry_core::{AuditId, Slug, TenantId};
use tenantry_store::ControlTx;

pub use self::list::{AuditQuery, AuditView};
pub(crate) use self::sealing::Sealing;
pub use self::verify::{Broken, Verified};
use crate::refusal::Chain;
use crate::{Refusal, Service};

/// After how long an entry that was begun is taken for that of a process that died. A request takes
/// a minute at most; a command that goes on for longer settles its act by an entry of its own.
pub(crate) const ABANDONED: Duration = Duration::from_mins(10);

/// Which tenant an act is about, as far as is known when it begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum About {
    /// None, or none that is known yet.
    #[default]
    Nothing,
    /// This one.
    Tenant(TenantId),
    /// The one with this id or slug, if there is one.
    Named(String),
}

/// An act that is about to begin, or just ended.
#[derive(Debug, Clone)]
pub struct Act {
    /// What is done.
    pub action: Action,
    /// By whom.
    pub actor: Actor,
    /// To which tenant.
    pub about: About,
    /// To what else: an id or a name. Cut to one short line.
    pub target: Option<String>,
    /// Where it was asked for. Cut likewise.
    pub source: Source,
    /// More, as a JSON object. Never anything secret, and nobody's address.
    pub detail: Option<Value>,
}

/// An act that was begun. It is settled or withdrawn; dropped, its entry says in ten minutes that
/// nobody knows how it ended.
#[derive(Debug)]
#[must_use]
pub struct Begun {
    entry: Entry,
    about: About,
}

/// How an act ended, with what was learned about it meanwhile.
#[derive(Debug, Clone)]
pub struct Ending {
    /// How.
    pub outcome: Outcome,
    /// The code it was refused with.
    pub code: Option<String>,
    /// By whom it was, where that was not known before.
    pub actor: Option<Actor>,
    /// To which tenant, where that was not known before.
    pub tenant: Option<TenantId>,
    /// To what else, where that was not known before.
    pub target: Option<String>,
    /// More.
    pub detail: Option<Value>,
}

impl Ending {
    /// An end of which there is nothing more to tell.
    pub const fn plain(outcome: Outcome, code: Option<String>) -> Self {
        Self {
            outcome,
            code,
            actor: None,
            tenant: None,
            target: None,
            detail: None,
        }
    }
}

impl Service {
    /// Writes down that an act begins. Where this fails, the act must not be done.
    pub async fn begin_act(&self, act: Act) -> Result<Begun, Refusal> {
        let mut tx = self.control().begin().await?;
        let mut begun = self.begun(act);
        begun.entry.tenant = tenant_of(&mut tx, &begun.about).await?;
        tx.audit().add(&begun.entry).await?;
        tx.commit().await?;
        Ok(begun)
    }

    /// Notes how an act ended. It is done and can't be taken back, so a failure to note it is
    /// logged: the entry will say that nobody knows.
    pub async fn settle_act(&self, begun: Begun, ending: Ending) {
        let (id, action) = (begun.entry.id, begun.entry.action.clone());
        if let Err(error) = self.try_settle(begun, ending).await {
            tracing::error!(audit.id = %id, %action, error = %Chain(&error), "how an act ended could not be noted in the audit");
        }
    }

    async fn try_settle(&self, begun: Begun, ending: Ending) -> Result<(), Refusal> {
        let Begun { mut entry, about } = begun;
        let mut tx = self.control().begin().await?;
        learn(&mut tx, &mut entry, &about, ending).await?;
        if !tx.audit().settle(&entry).await? {
            // It took so long that its process was thought dead, and that entry is sealed.
            let detail = json!({ "begun": entry.id.to_string() });
            entry.detail = Some(merged(entry.detail.as_deref(), detail).to_string());
            entry.id = AuditId::generate(self.clock(), self.entropy());
            entry.at = self.clock().now();
            tx.audit().add(&entry).await?;
        }
        tx.commit().await?;
        self.sealing().wake();
        Ok(())
    }

    /// Takes the entry of an act back that was refused before anything could happen.
    pub async fn withdraw_act(&self, begun: Begun) {
        let id = begun.entry.id;
        let withdrawn = async {
            let mut tx = self.control().begin().await?;
            tx.audit().withdraw(id).await?;
            tx.commit().await
        };
        if let Err(error) = withdrawn.await {
            tracing::warn!(audit.id = %id, error = %Chain(&error), "the entry of an act that did not happen could not be taken out of the audit");
        }
    }

    /// Writes an act down once it has ended: for signing in and out, which is frequent and whose
    /// actor is known only then.
    pub async fn note_act(&self, act: Act, ending: Ending) {
        let action = act.action.clone();
        let noted = async {
            let Begun { mut entry, about } = self.begun(act);
            let mut tx = self.control().begin().await?;
            learn(&mut tx, &mut entry, &about, ending).await?;
            tx.audit().add(&entry).await?;
            tx.commit().await?;
            Ok::<_, Refusal>(())
        };
        match noted.await {
            Ok(()) => self.sealing().wake(),
            Err(error) => {
                tracing::error!(%action, error = %Chain(&error), "an act could not be noted in the audit");
            }
        }
    }

    /// Notes what the program did by itself. What it does is recorded before its effects by the
    /// work itself, so that this is told once it is certain.
    pub(crate) async fn note_own_act(&self, action: &'static str, tenant: Option<TenantId>) {
        let action = match Action::named(action) {
            Ok(action) => action,
            Err(error) => {
                tracing::error!(action, %error, "an act has no name that fits the audit");
                return;
            }
        };
        let act = Act {
            action,
            actor: Actor::System,
            about: tenant.map_or(About::Nothing, About::Tenant),
            target: None,
            source: Source::default(),
            detail: None,
        };
        self.note_act(act, Ending::plain(Outcome::Done, None)).await;
    }

    /// What stands in the audit for an address or name that somebody typed: the same for the same
    /// one, and nothing that tells what it was.
    pub fn pseudonym(&self, typed: &str) -> String {
        format!("~{}", self.keyring().audit().pseudonym(typed))
    }

    fn begun(&self, act: Act) -> Begun {
        let source = Source {
            ip: act.source.ip,
            user_agent: act.source.user_agent.as_deref().map(chosen),
            request_id: act.source.request_id,
        };
        Begun {
            entry: Entry {
                id: AuditId::generate(self.clock(), self.entropy()),
                at: self.clock().now(),
                action: act.action,
                actor: act.actor,
                tenant: None,
                target: act.target.as_deref().map(chosen),
                outcome: None,
                code: None,
                source,
                detail: act.detail.map(|detail| detail.to_string()),
            },
            about: act.about,
        }
    }
}

/// Adds what is known at the end to an entry.
async fn learn(
    tx: &mut ControlTx,
    entry: &mut Entry,
    about: &About,
    ending: Ending,
) -> Result<(), Refusal> {
    entry.outcome = Some(ending.outcome);
    entry.code = ending.code;
    if let Some(actor) = ending.actor {
        entry.actor = actor;
    }
    entry.tenant = ending.tenant.or(entry.tenant);
    if entry.tenant.is_none() {
        // A tenant that was made just now has its name only since then.
        entry.tenant = tenant_of(tx, about).await?;
    }
    if let Some(target) = ending.target {
        entry.target = Some(chosen(&target));
    }
    if let Some(detail) = ending.detail {
        entry.detail = Some(merged(entry.detail.as_deref(), detail).to_string());
    }
    Ok(())
}

/// One object of the fields of two.
fn merged(before: Option<&str>, more: Value) -> Value {
    let before = before.and_then(|text| serde_json::from_str(text).ok());
    match (before, more) {
        (Some(Value::Object(mut fields)), Value::Object(more)) => {
            fields.extend(more);
            Value::Object(fields)
        }
        (_, more) => more,
    }
}

async fn tenant_of(tx: &mut ControlTx, about: &About) -> Result<Option<TenantId>, Refusal> {
    let named = match about {
        About::Nothing => return Ok(None),
        About::Tenant(id) => return Ok(Some(*id)),
        About::Named(named) => named,
    };
    let found = if let Ok(id) = named.parse::<TenantId>() {
        tx.tenants().lookup(id).await?
    } else if let Ok(slug) = named.parse::<Slug>() {
        tx.tenants().find_by_slug(&slug).await?
    } else {
        None
    };
    Ok(found.map(|tenant| tenant.id))
}
