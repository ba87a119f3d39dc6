//! Everything that ends sessions, and on whom it is tried.

use serde_json::{Value, json};
use tenantry_core::Role;
use tenantry_testkit::app::{TestApp, TestTenant};
use tenantry_testkit::service::{PASSWORD, link_token};
use uuid::Uuid;

const NEW: &str = "another long enough one";

/// What ends every session of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    UserDeleted,
    UserDisabled,
    RoleChanged,
    PasswordChangedElsewhere,
    PasswordResetByMail,
    PasswordResetByOperator,
    SessionsEndedByAdmin,
    SignedOut,
    SignedOutEverywhere,
    AdminsPasswordChanged,
    Suspended,
    Deleted,
    Restored,
    Recreated,
    Purged,
    MadeAgainAfterAPurge,
    SessionsCleared,
}

impl Change {
    pub(super) const ALL: [Self; 17] = [
        Self::UserDeleted,
        Self::UserDisabled,
        Self::RoleChanged,
        Self::PasswordChangedElsewhere,
        Self::PasswordResetByMail,
        Self::PasswordResetByOperator,
        Self::SessionsEndedByAdmin,
        Self::SignedOut,
        Self::SignedOutEverywhere,
        Self::AdminsPasswordChanged,
        Self::Suspended,
        Self::Deleted,
        Self::Restored,
        Self::Recreated,
        Self::Purged,
        Self::MadeAgainAfterAPurge,
        Self::SessionsCleared,
    ];

    /// A slug, and what stands before an `@`.
    pub(super) fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    /// Whether it is about a tenant as a whole.
    const fn is_of_tenant(self) -> bool {
        matches!(
            self,
            Self::Suspended
                | Self::Deleted
                | Self::Restored
                | Self::Recreated
                | Self::Purged
                | Self::MadeAgainAfterAPurge
                | Self::SessionsCleared
        )
    }
}

/// Somebody who is signed in, in a browser and with a program.
pub(super) struct Person {
    pub(super) id: Uuid,
    pub(super) email: String,
    pub(super) tenant: TestTenant,
    /// Where the sign-in was.
    pub(super) host: String,
    pub(super) cookie: String,
    pub(super) access: String,
    pub(super) refresh: String,
}

/// Whether the tenant's address leads nowhere after a change.
pub(super) fn is_gone(change: &str) -> bool {
    change == "Purged"
}

/// A tenant with an owner, and a platform admin: whoever makes the changes.
pub(super) struct Stage<'a> {
    app: &'a TestApp,
    tenant: TestTenant,
    owner: String,
    admin: String,
}

impl<'a> Stage<'a> {
    pub(super) async fn set(app: &'a TestApp) -> Self {
        let tenant = app.tenant("acme").await;
        Self {
            owner: app.sign_in(&tenant.host, &tenant.owner).await.access,
            admin: app.admin().await.access,
            tenant,
            app,
        }
    }

    async fn signed_in(&self, tenant: &TestTenant, host: &str, email: &str) -> Person {
        let signed = self.app.sign_in(host, email).await;
        Person {
            id: signed.body["user"]["id"].as_str().unwrap().parse().unwrap(),
            email: email.to_owned(),
            tenant: tenant.clone(),
            host: host.to_owned(),
            cookie: self.app.cookie(host, email).await,
            access: signed.access,
            refresh: signed.refresh,
        }
    }

    /// The owner of a tenant of its own.
    pub(super) async fn owner_of(&self, slug: &str) -> Person {
        let tenant = self.app.tenant(slug).await;
        self.signed_in(&tenant, &tenant.host, &tenant.owner).await
    }

    /// Somebody on whom nothing else is tried.
    pub(super) async fn person(&self, change: Change) -> Person {
        let name = change.name();
        if change.is_of_tenant() {
            return self.owner_of(&name).await;
        }
        if change == Change::AdminsPasswordChanged {
            let email = format!("{name}@platform.example");
            self.app.platform_admin(&email).await;
            return self.signed_in(&self.tenant, "localhost", &email).await;
        }
        let email = format!("{name}@acme.example");
        let app = self.app;
        app.person(&self.tenant, &email, Role::Admin, false).await;
        self.signed_in(&self.tenant, &self.tenant.host, &email)
            .await
    }

    async fn act(&self, by: &str, method: &str, path: &str, body: Option<Value>) {
        let mut call = self.app.call(method, path).bearer(by);
        if let Some(body) = &body {
            call = call.json(body);
        }
        let answer = call.send().await;
        let case = format!("{method} {path}: {}", answer.text());
        assert!((200..300).contains(&answer.status), "{case}");
    }

    /// The token in the newest mail to somebody, of a link that begins so.
    async fn mailed(&self, email: &str, path: &str) -> String {
        let mails = self.app.inner().mails().await.unwrap();
        let texts = mails.iter().filter(|mail| mail.to == email);
        let mut tokens = texts.filter_map(|mail| link_token(mail.text.as_deref()?, path));
        tokens.next().unwrap()
    }

    /// Makes the change as the product does.
    pub(super) async fn make(&self, change: Change, person: &Person) {
        if change.is_of_tenant() {
            return self.change_tenant(change, person).await;
        }
        let one = format!("/api/v1/users/{}", person.id);
        let owner = &self.owner;
        match change {
            Change::UserDeleted => self.act(owner, "DELETE", &one, None).await,
            Change::UserDisabled => {
                let body = json!({ "disabled": true });
                self.act(owner, "PATCH", &one, Some(body)).await;
            }
            Change::RoleChanged => {
                let body = json!({ "role": "member" });
                self.act(owner, "PATCH", &one, Some(body)).await;
            }
            Change::SessionsEndedByAdmin => {
                let all = format!("{one}/sessions");
                self.act(owner, "DELETE", &all, None).await;
            }
            Change::PasswordChangedElsewhere | Change::AdminsPasswordChanged => {
                let third = self.app.sign_in(&person.host, &person.email).await;
                let body = json!({ "current_password": PASSWORD, "new_password": NEW });
                let path = "/api/v1/auth/me/password";
                self.act(&third.access, "POST", path, Some(body)).await;
            }
            Change::SignedOutEverywhere => {
                let third = self.app.sign_in(&person.host, &person.email).await;
                let path = "/api/v1/auth/logout-all";
                self.act(&third.access, "POST", path, None).await;
            }
            Change::SignedOut => self.sign_out(person).await,
            _ => self.set_password(change, person).await,
        }
    }

    async fn sign_out(&self, person: &Person) {
        let path = "/api/v1/auth/logout";
        self.act(&person.access, "POST", path, None).await;
        let service = self.app.service();
        let cookie = tenantry_service::sessions::Credential::Cookie(&person.cookie);
        let browser = service.authenticate(cookie, None).await.unwrap();
        let binding = format!("session:{}", browser.session.id);
        let token = service.csrf().token(binding.as_bytes());
        let form = self.app.post("/logout").host(&person.host);
        let form = form.cookie(&person.cookie).form(&[("csrf_token", &token)]);
        let answer = form.send().await;
        assert_eq!(answer.location(), "/login?reason=signed_out");
    }

    /// By somebody who is not signed in as the person.
    async fn set_password(&self, change: Change, person: &Person) {
        let service = self.app.service();
        match change {
            Change::PasswordResetByMail => {
                let asked = "/api/v1/auth/password-reset/request";
                let call = self.app.post(asked).host(&person.host);
                let call = call.json(&json!({ "email": person.email }));
                call.send().await.ok(200);
                let token = self.mailed(&person.email, "/reset-password/").await;
                let confirm = self.app.post("/api/v1/auth/password-reset/confirm");
                let confirm = confirm.json(&json!({ "token": token, "password": NEW }));
                confirm.send().await.ok(200);
            }
            Change::PasswordResetByOperator => {
                let tenant = self.tenant.id.parse().unwrap();
                let ctx = service.enter_as_operator(tenant).await.unwrap();
                let email = person.email.parse().unwrap();
                drop(service.reset_password_of(&ctx, &email).await.unwrap());
            }
            other => panic!("{other:?} sets no password"),
        }
    }

    async fn change_tenant(&self, change: Change, person: &Person) {
        let slug = &person.tenant.slug;
        let one = format!("/api/v1/tenants/{slug}");
        let delete = format!("{one}?confirm={slug}");
        let purge = format!("{delete}&purge=true");
        let to = |act: &str| format!("{one}/{act}");
        let admin = &self.admin;
        match change {
            Change::Suspended => self.act(admin, "POST", &to("suspend"), None).await,
            Change::Deleted => self.act(admin, "DELETE", &delete, None).await,
            Change::Restored => {
                self.act(admin, "DELETE", &delete, None).await;
                self.act(admin, "POST", &to("restore"), None).await;
            }
            Change::Recreated => {
                let owner = json!({ "email": person.email, "password": PASSWORD });
                let body = json!({ "confirm": slug, "owner": owner });
                self.act(admin, "POST", &to("recreate"), Some(body)).await;
            }
            Change::Purged => self.act(admin, "DELETE", &purge, None).await,
            Change::MadeAgainAfterAPurge => {
                self.act(admin, "DELETE", &purge, None).await;
                self.app.tenant(slug).await;
            }
            Change::SessionsCleared => self.act(admin, "DELETE", &to("sessions"), None).await,
            other => panic!("{other:?} is about one person"),
        }
    }
}
