//! The types of requests and answers: one definition for parsing, validation, forms and the API's
//! description. One file for each thing that answers are about.

mod check;
mod cluster;
mod credential;
mod list;
mod person;
mod session;
mod tenant;
mod webhook;
mod workflow;

pub use check::CheckBody;
pub use cluster::{ClusterBody, ClusterCheckBody, ClusterPatch, ClusterRequest, RemarkBody};
pub use credential::{CredentialBody, LinkSentBody, RevealedBody, RotateRequest};
pub use list::{ListBody, ListQuery};
pub use person::{
    ChoiceBody, LoginBody, MeBody, SelectionProblem, TenantBrief, UserBody, login, person,
};
pub use session::{SessionBody, SignedOutBody};
pub use tenant::{ClearedBody, DatabaseBody, TenantBody};
pub use webhook::{DeliveryBody, TriedBody, WebhookBody, WebhookRequest};
pub use workflow::{WorkflowBody, WorkflowStepBody};
