//! Why a use case did not do what was asked.

use std::borrow::Cow;
use std::time::Duration;

use tenantry_saga::SagaError;
use tenantry_sessions::SessionError;
use tenantry_store::StoreError;

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field, by its name in the API.
    pub field: Cow<'static, str>,
    /// A fixed word for programs.
    pub code: &'static str,
    /// A sentence for people.
    pub message: String,
}

impl FieldError {
    /// What is wrong with `field`.
    pub fn new(field: &'static str, code: &'static str, message: impl std::fmt::Display) -> Self {
        Self {
            field: Cow::Borrowed(field),
            code,
            message: message.to_string(),
        }
    }
}

/// Why a use case did not do what was asked. Everything but [`Failed`](Self::Failed) is an
/// ordinary outcome.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Fields are wrong.
    #[error("some fields are not right")]
    Validation(Vec<FieldError>),
    /// Address or password do not fit; also where there is no such person.
    #[error("address or password do not fit")]
    InvalidCredentials,
    /// Nobody is signed in.
    #[error("sign in first")]
    AuthenticationRequired,
    /// Somebody was signed in, and what that stood on has ended.
    #[error("the session has ended; sign in again")]
    SessionStale,
    /// A link or code is unknown, used or expired.
    #[error("this link is no longer good")]
    TokenInvalid,
    /// A one-time code does not fit, was used, has run out, or was never there.
    #[error("this code is not right")]
    OtpInvalid,
    /// The request does not say which tenant it means.
    #[error("the request does not say which tenant it means")]
    TenantRequired,
    /// The request names two different tenants.
    #[error("the request names two different tenants")]
    TenantConflict,
    /// There is no such tenant.
    #[error("there is no such tenant")]
    TenantNotFound,
    /// The tenant is there and can't be used now.
    #[error("this tenant can't be used at the moment")]
    TenantUnavailable,
    /// The password must be changed before anything else.
    #[error("the password must be changed before anything else")]
    PasswordChangeRequired,
    /// Known, and not allowed.
    #[error("this is not allowed")]
    Forbidden,
    /// There is no such thing, or none that may be known about.
    #[error("there is no such thing")]
    NotFound,
    /// The slug belongs to another tenant.
    #[error("this slug is taken")]
    SlugTaken,
    /// The domain is proven to be another tenant's.
    #[error("this domain is taken")]
    DomainTaken,
    /// The address belongs to somebody else.
    #[error("this address is taken")]
    EmailTaken,
    /// The username belongs to somebody else in the tenant.
    #[error("this username is taken")]
    UsernameTaken,
    /// It would leave the tenant without an owner who gets in.
    #[error("the last owner who gets in stays; make somebody else an owner first")]
    LastOwner,
    /// What was asked for does not go together with how things are.
    #[error("{0}")]
    Conflict(String),
    /// What was asked for does not go together with how things are for so long yet.
    #[error("{0}")]
    ConflictFor(String, Duration),
    /// Too many tries.
    #[error("too many tries; wait and try again")]
    RateLimited(Duration),
    /// Too much to do at once.
    #[error("the service is busy; try again in a moment")]
    Busy(Duration),
    /// It was sent off and no answer came: it may have been done, or may yet be. Nothing says that
    /// trying again is harmless.
    #[error("{0}")]
    InDoubt(&'static str),
    /// The disk of the control database is full or failing.
    #[error("the disk of the control database is full or failing; make room, then try again")]
    Storage(#[source] StoreError),
    /// We or the world failed.
    #[error("{what}")]
    Failed {
        /// What was being done.
        what: &'static str,
        /// Why it failed. For the log, not for the answer.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Refusal {
    /// One wrong field.
    pub fn field(field: &'static str, code: &'static str, message: impl std::fmt::Display) -> Self {
        Self::Validation(vec![FieldError::new(field, code, message)])
    }

    /// A failure of ours or the world's while doing `what`.
    pub fn failed<E>(what: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        move |source| Self::Failed {
            what,
            source: source.into(),
        }
    }

    /// What an error of a tenant's own database means: that tenant is unavailable, whatever the
    /// reason, and the operator is told; the others are not concerned.
    pub fn tenant(ctx: &tenantry_store::TenantCtx) -> impl FnOnce(StoreError) -> Self {
        let (id, slug) = (ctx.id(), ctx.tenant().slug.clone());
        move |error| {
            tracing::error!(
                tenant.id = %id, tenant.slug = %slug, error = %Chain(&error),
                "a tenant's database can't be used; `tenantry tenant check {slug}` tells more"
            );
            // A server that can't be reached, takes nobody in (53300, 57P03) or went away is the
            // trouble of its tenants alone, and passes when the server is back.
            let away = matches!(error, StoreError::Cluster(_) | StoreError::Unanswered(_))
                || error.is_lost();
            if error.is_transient() && !away {
                Self::Busy(Duration::from_secs(1))
            } else {
                Self::TenantUnavailable
            }
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        if error.is_transient() {
            tracing::warn!(error = %Chain(&error), "the control database is busy");
            return Self::Busy(Duration::from_secs(1));
        }
        if error.kind() == tenantry_store::ErrorKind::Storage {
            return Self::Storage(error);
        }
        Self::failed("the control database could not do its part")(error)
    }
}

/// Where sessions lie is away or in trouble: nobody gets in, and nobody is told to sign in anew for
/// it, as what the person has is as good as before.
impl From<SessionError> for Refusal {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Store(error) => error.into(),
            SessionError::Redis(_) | SessionError::Held { .. } => {
                tracing::warn!(error = %Chain(&error), "sessions can't be looked at now");
                Self::Busy(Duration::from_secs(1))
            }
            SessionError::Damaged { .. } => {
                tracing::error!(error = %Chain(&error), "a session can't be read");
                Self::SessionStale
            }
            SessionError::Io { what, source, .. } => Self::Storage(StoreError::Io { what, source }),
        }
    }
}

impl From<SagaError> for Refusal {
    fn from(error: SagaError) -> Self {
        Self::failed("a workflow could not be driven")(error)
    }
}

/// An error with everything that caused it, on one line.
pub struct Chain<'a>(pub &'a (dyn std::error::Error + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
