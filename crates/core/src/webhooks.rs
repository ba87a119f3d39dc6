//! What receivers outside are told about.

use crate::text_enum::text_enum;

text_enum! {
    /// What a notice is about, as its `type` says it.
    pub enum EventKind {
        /// A tenant was made and is in use.
        TenantCreated = "tenant.created",
        /// A tenant was found whose parts do not fit together.
        TenantIncomplete = "tenant.incomplete",
        /// What can be changed about a tenant was.
        TenantUpdated = "tenant.updated",
        /// Nobody gets into a tenant any more, for now.
        TenantSuspended = "tenant.suspended",
        /// People get into a suspended tenant again.
        TenantResumed = "tenant.resumed",
        /// A tenant was deleted; `purge_at` says until when it can be restored, null where it can't.
        TenantDeleted = "tenant.deleted",
        /// A deleted tenant is back.
        TenantRestored = "tenant.restored",
        /// A tenant's database was made anew, with a fresh owner.
        TenantRecreated = "tenant.recreated",
        /// Nothing of a deleted tenant is left.
        TenantPurged = "tenant.purged",
        /// Somebody asks for a tenant, and has proven the mail address.
        TenantApplied = "tenant.applied",
        /// A domain that a tenant had proven was found without its proof for too long.
        DomainLost = "domain.lost",
        /// Somebody belongs to a tenant now.
        UserCreated = "user.created",
        /// Something about somebody in a tenant was changed: names, address, role, being kept out.
        UserUpdated = "user.updated",
        /// Somebody belongs to a tenant no more.
        UserDeleted = "user.deleted",
        /// Nothing happened: somebody tries whether notices arrive.
        Ping = "ping",
    }
}
