//! Writing down in sessions that they count no more.
//!
//! What ends them is the change before this, in the tenant's or the control database: another security
//! version, a device or a PIN that is gone, a tenant that is deleted. The stale rule sees it by itself.
//! Writing it down tells a person's list of sessions, and why. So it comes last and never fails: where
//! sessions lie may take nothing in, and what was done is done
//! (`docs/decisions/0015-session-drivers.md`).

use tenantry_core::session::{EndReason, Handle, Session, Subject};
use tenantry_core::user::SecurityVersion;
use tenantry_core::{DeviceId, Generation, SessionId, TenantId, UserId};
use tenantry_store::TenantCtx;

use crate::Service;
use crate::refusal::Chain;

/// Sessions that count no more.
#[derive(Clone, Copy)]
pub(crate) enum Lapsed<'a> {
    /// A person's, all but one.
    Of(Subject, Option<SessionId>, EndReason),
    /// Those begun on a device of a tenant.
    OnDevice(&'a TenantCtx, DeviceId),
    /// Those that a person began with a PIN.
    WithPin(Subject),
    /// This one.
    This(Handle, EndReason),
    /// A tenant's in generations up to this one.
    OfTenant(TenantId, Generation),
}

/// Somebody in a tenant, as sessions name him.
pub(crate) fn subject(ctx: &TenantCtx, user: UserId) -> Subject {
    Subject::User {
        tenant: ctx.id(),
        generation: ctx.generation(),
        user,
    }
}

impl Service {
    /// Writes down in sessions that they count no more, which they do already; where that can't be
    /// done, it is told to the log.
    pub(crate) async fn end_lapsed(&self, lapsed: Lapsed<'_>) {
        let (sessions, now) = (self.sessions_store(), self.clock().now());
        let ended = match lapsed {
            Lapsed::Of(subject, keep, reason) => {
                sessions.end_others(&subject, keep, reason, now).await
            }
            Lapsed::OnDevice(ctx, device) => {
                let ended = sessions.end_device(ctx.id(), ctx.generation(), device, now);
                ended.await
            }
            Lapsed::WithPin(subject) => sessions.end_on_devices(&subject, now).await,
            Lapsed::This(session, reason) => {
                sessions.end(&session, reason, now).await.map(u64::from)
            }
            Lapsed::OfTenant(tenant, generation) => {
                sessions.end_tenant(tenant, generation, now).await
            }
        };
        if let Err(error) = ended {
            tracing::warn!(
                error = %Chain(&error),
                "sessions count no more, and are not marked as ended"
            );
        }
    }

    /// Lets the session go on in which a person changed what ends all of the person's sessions;
    /// whether it does. Where it does not, the person signs in anew, and the log is told.
    pub(crate) async fn carry_session(&self, session: &Session, from: SecurityVersion) -> bool {
        let handle = session.handle();
        let carried = self.sessions_store().carry_over(&handle, from);
        carried.await.unwrap_or_else(|error| {
            tracing::warn!(
                session.id = %session.id, error = %Chain(&error),
                "a session could not go on over a change; its person signs in anew"
            );
            false
        })
    }
}
