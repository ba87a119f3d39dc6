//! The domain of Tenantry: ids, addresses, policies, states and their transitions.
//!
//! Owns every rule that can be stated without a database, a socket or a clock of its own. Does no
//! I/O and knows no other crate of the workspace; time and randomness are passed in as [`Clock`]
//! and [`Entropy`]. Everything else calls it.

pub mod text_enum;

pub mod admin;
pub mod application;
pub mod audit;
pub mod colour;
pub mod credential;
pub mod domain;
pub mod email;
pub mod finding;
pub mod ids;
pub mod keys;
pub mod locale;
pub mod logo;
pub mod marks;
pub mod one_time;
pub mod password;
pub mod pin;
pub mod recovery;
pub mod secret;
pub mod session;
pub mod slug;
pub mod source;
pub mod tenant;
pub mod throttle;
pub mod time;
pub mod user;
pub mod webhooks;
pub mod workflow;

pub use colour::Colour;
pub use email::Email;
pub use ids::{
    AdminId, ApplicationId, AuditId, DeviceId, InstanceId, NoticeId, OneTimeId, OutboxId,
    SessionId, TenantId, UserId, WebhookId, WorkflowId,
};
pub use locale::Locale;
pub use secret::Secret;
pub use slug::Slug;
pub use source::{Clock, Entropy};
pub use tenant::{Generation, TenantStatus};
pub use time::Timestamp;
pub use user::Role;
