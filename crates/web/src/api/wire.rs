//! The types of requests and answers: one definition for parsing, validation, forms and the API's
//! description. One file for each thing that answers are about.

mod application;
mod audit;
mod brand;
mod check;
mod cluster;
mod credential;
mod device;
mod domain;
mod import;
mod list;
mod person;
mod session;
mod tenant;
mod user;
mod webhook;
mod workflow;

pub use application::{
    ApplicationBody, ApplicationQuery, ApplicationRequest, ApproveRequest, ConfirmRequest,
    ConfirmedBody, RejectRequest,
};
pub use audit::{ActorBody, AuditBody, AuditListQuery, VerifiedBody};
pub use brand::{OwnTenantBody, OwnTenantPatch};
pub use check::CheckBody;
pub use cluster::{ClusterBody, ClusterCheckBody, ClusterPatch, ClusterRequest, RemarkBody};
pub use credential::{CredentialBody, LinkSentBody, RevealedBody, RotateRequest};
pub use device::{DeviceBody, DeviceRequest};
pub use domain::{DomainBody, DomainQuery, DomainRequest, PublishBody};
pub use import::{ImportedBody, LineErrorBody};
pub use list::{ListBody, ListQuery};
pub use person::{
    ChoiceBody, LoginBody, MeBody, SelectionProblem, TenantBrief, UserBody, login, person,
};
pub use session::{SessionBody, SignedOutBody};
pub use tenant::{CacheClearedBody, ClearedBody, DatabaseBody, RenewedBody, TenantBody};
pub use user::{PinRequest, StaffBody, StaffCreatedBody, StaffPatch, StaffRequest};
pub use webhook::{DeliveryBody, TriedBody, WebhookBody, WebhookRequest};
pub use workflow::{WorkflowBody, WorkflowStepBody};
