//! The use cases over real databases: the registry in SQLite and in PostgreSQL, tenants in files,
//! mails in a folder.

#[macro_use]
mod people;
#[macro_use]
mod bench;

mod adopt;
mod adopt_refused;
mod adopt_steps;
mod ahead;
mod applications;
mod audit;
mod brand;
mod change_password;
mod check;
mod check_fleet;
mod check_server;
mod choosing;
mod clearing;
mod counted;
mod damages;
mod demo;
mod domains;
mod idempotency;
mod import;
mod keys;
mod leaks;
mod lifecycle;
mod opening;
mod outbox;
mod owner;
mod passwords;
mod pin;
mod placed;
mod profile;
mod purge;
mod reconcile;
mod recovery;
mod refresh;
mod registration;
mod repair;
mod resolve;
mod rotation;
mod sessions;
mod setup;
mod signin;
mod signin_cost;
mod staff;
mod stale;
mod tenant_trouble;
mod tenants;
mod throttle;
mod throttle_alike;
mod throttle_wider;
mod webhooks;
mod workflow_deaths;
mod workflow_failures;
mod workflow_network;
mod workflow_outages;
mod workflow_races;
mod workflow_scenes;
mod workflow_sessions;
