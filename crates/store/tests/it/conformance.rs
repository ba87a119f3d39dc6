//! Every statement on both drivers, by the same code: what it finds, changes and refuses.

mod admin_secrets;
mod admins;
mod adopted;
mod ahead;
mod applications;
mod audit;
mod changes;
mod clusters;
mod codes;
mod credentials;
mod databases;
mod devices;
mod directory;
mod domains;
mod idempotency;
mod instance;
mod keys;
mod logos;
mod nodes;
mod outbox;
mod reconciler;
mod registrations;
mod rotation;
mod sealed;
mod secrets;
mod sessions;
mod stamps;
mod tenants;
mod throttle;
mod users;
mod webhooks;
mod workflow_log;
mod workflows;

pub(crate) use admins::admin;
pub(crate) use users::{email, person};
