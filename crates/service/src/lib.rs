//! The use cases of Tenantry: what can be done, in words of tenants and people.
//!
//! Orchestrates domain, keys, store, workflows and mail; knows no HTTP and no terminal. Every use
//! case is a method of [`Service`] and answers with what came of it or with a [`Refusal`], whose
//! variants the outside turns into status codes and sentences in one place.

pub mod account;
pub mod admins;
pub mod adopt;
mod ahead;
pub mod applications;
mod attempts;
pub mod audit;
pub mod brand;
pub mod check;
pub mod clearing;
pub mod clusters;
pub mod credentials;
pub mod demo;
pub mod devices;
mod directory;
pub mod domains;
pub mod facts;
pub mod health;
mod housekeeping;
pub mod idempotency;
pub mod import;
mod keyring;
pub mod keys;
mod links;
pub mod mailbox;
mod moment;
pub mod nodes;
mod one_time;
pub mod operator;
mod outbox;
pub mod password;
pub mod pin;
pub mod profile;
pub mod reconcile;
pub mod recovery;
pub mod refusal;
pub mod registration;
mod repair;
pub mod resolve;
mod service;
pub mod sessions;
pub mod settings;
pub mod setup;
pub mod signin;
pub mod staff;
pub mod tenants;
mod throttle;
mod wanted;
pub mod webhooks;
pub mod workflows;

pub use keyring::KeyringError;
pub use refusal::{FieldError, Refusal};
pub use service::{OpenError, Service};
pub use settings::Settings;
