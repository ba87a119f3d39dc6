//! Asking for a tenant.

use crate::text_enum::text_enum;

text_enum! {
    /// Who gets a tenant by asking for one.
    pub enum Signup {
        /// Nobody: a platform admin makes every tenant.
        Closed = "closed",
        /// Whoever a platform admin says yes to.
        Apply = "apply",
        /// Whoever proves a mail address.
        Open = "open",
    }
}

text_enum! {
    /// Where an application for a tenant stands.
    pub enum ApplicationState {
        /// The applicant's address is not proven yet.
        PendingProof = "pending_proof",
        /// It waits for somebody to decide.
        Pending = "pending",
        /// There is a tenant, or one is being made.
        Approved = "approved",
        /// Somebody said no.
        Rejected = "rejected",
        /// The address was not proven in time.
        Expired = "expired",
    }
}
