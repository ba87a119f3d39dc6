//! Tenants and their status.

use tenantry_core::logo::LogoTag;
use tenantry_core::tenant::{Isolation, Registration, Tenant};
use tenantry_core::{Colour, Generation, Slug, TenantId, TenantStatus, Timestamp};
use uuid::Uuid;

use crate::changes::Touched;
use crate::{Conn, Hint, Origin, StoreError, TenantCtx};

/// The tenants of the registry.
pub struct Tenants<'c>(pub(super) Conn<'c>, pub(super) &'c mut Touched);

/// What a hint led to.
#[derive(Debug, Clone)]
pub enum Entry {
    /// An active tenant, with the right to work in it.
    Open(TenantCtx),
    /// A tenant nobody gets into.
    Closed(Tenant),
}

/// What can be changed about a tenant; `None` leaves a thing as it is.
#[derive(Debug, Clone, Default)]
pub struct TenantPatch {
    /// The name to show.
    pub name: Option<String>,
    /// Who may register.
    pub registration: Option<Registration>,
    /// Whether a registered address must be proven first.
    pub verify_email: Option<bool>,
    /// The fewest characters of a new password.
    pub password_min: Option<MinLength>,
    /// The colour of its pages and mails; `Some(None)` for none of its own.
    pub colour: Option<Option<Colour>>,
    /// What its logo is known by, as [`Logos`](super::Logos) keeps it; `Some(None)` for none.
    pub logo: Option<Option<LogoTag>>,
}

/// The fewest characters of a new password in a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MinLength {
    /// The platform's number.
    Platform,
    /// One of its own.
    Own(u8),
}

row! {
    struct TenantRow {
        id: Uuid,
        slug: String,
        number: i64,
        name: String,
        status: String,
        generation: i64,
        isolation: String,
        registration: String,
        verify_email: i64,
        password_min: Option<i64>,
        colour: Option<String>,
        logo: Option<String>,
        created_at: i64,
        deleted_at: Option<i64>,
        purge_at: Option<i64>,
    }
}

row! { struct Value { value: i64 } }

fn corrupt(column: &'static str) -> StoreError {
    StoreError::Corrupt {
        table: "tenants",
        column,
    }
}

impl TryFrom<TenantRow> for Tenant {
    type Error = StoreError;

    fn try_from(row: TenantRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: TenantId::from_uuid(row.id),
            slug: row.slug.parse().map_err(|_| corrupt("slug"))?,
            number: row.number,
            name: row.name,
            status: row.status.parse().map_err(|_| corrupt("status"))?,
            generation: Generation::new(row.generation).ok_or_else(|| corrupt("generation"))?,
            isolation: row
                .isolation
                .parse::<Isolation>()
                .map_err(|_| corrupt("isolation"))?,
            registration: row
                .registration
                .parse()
                .map_err(|_| corrupt("registration"))?,
            verify_email: row.verify_email == 1,
            password_min: row
                .password_min
                .map(usize::try_from)
                .transpose()
                .map_err(|_| corrupt("password_min"))?,
            colour: row
                .colour
                .map(|colour| colour.parse())
                .transpose()
                .map_err(|_| corrupt("colour"))?,
            logo: row
                .logo
                .map(|tag| tag.parse())
                .transpose()
                .map_err(|_| corrupt("logo"))?,
            created_at: Timestamp::from_micros(row.created_at),
            deleted_at: row.deleted_at.map(Timestamp::from_micros),
            purge_at: row.purge_at.map(Timestamp::from_micros),
        })
    }
}

impl Tenants<'_> {
    /// A tenant number never given before.
    pub async fn next_number(&mut self) -> Result<i64, StoreError> {
        let row = fetch_one!(
            self.0,
            Value,
            "UPDATE counters SET value = value + 1 WHERE name = 'tenant_number' RETURNING value"
        )?;
        Ok(row.value)
    }

    /// Adds a tenant; `false` when its slug is taken.
    pub async fn add(&mut self, tenant: &Tenant) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "INSERT INTO tenants (id, slug, number, name, status, generation, isolation, registration, verify_email, colour, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (slug) DO NOTHING",
            tenant.id.uuid(),
            tenant.slug.as_str(),
            tenant.number,
            tenant.name.as_str(),
            tenant.status.as_str(),
            tenant.generation.number(),
            tenant.isolation.as_str(),
            tenant.registration.as_str(),
            i64::from(tenant.verify_email),
            tenant.colour.map(|colour| colour.to_string()),
            tenant.created_at.micros(),
        )?;
        Ok(changed == 1)
    }

    /// The tenant with this id.
    pub async fn lookup(&mut self, id: TenantId) -> Result<Option<Tenant>, StoreError> {
        fetch_optional!(
            self.0,
            TenantRow,
            "SELECT id, slug, number, name, status, generation, isolation, registration, verify_email,
                    password_min, colour, logo, created_at, deleted_at, purge_at
             FROM tenants WHERE id = $1",
            id.uuid()
        )?
        .map(Tenant::try_from)
        .transpose()
    }

    /// The tenant with this slug.
    pub async fn find_by_slug(&mut self, slug: &Slug) -> Result<Option<Tenant>, StoreError> {
        fetch_optional!(
            self.0,
            TenantRow,
            "SELECT id, slug, number, name, status, generation, isolation, registration, verify_email,
                    password_min, colour, logo, created_at, deleted_at, purge_at
             FROM tenants WHERE slug = $1",
            slug.as_str()
        )?
        .map(Tenant::try_from)
        .transpose()
    }

    /// The tenant with this verified domain.
    pub async fn find_by_domain(&mut self, domain: &str) -> Result<Option<Tenant>, StoreError> {
        fetch_optional!(
            self.0,
            TenantRow,
            "SELECT t.id, t.slug, t.number, t.name, t.status, t.generation, t.isolation, t.registration,
                    t.verify_email, t.password_min, t.colour, t.logo, t.created_at, t.deleted_at, t.purge_at
             FROM tenant_domains d JOIN tenants t ON t.id = d.tenant_id
             WHERE d.kind = 'host' AND d.domain = $1 AND d.verified_at IS NOT NULL",
            domain
        )?
        .map(Tenant::try_from)
        .transpose()
    }

    /// The tenant a hint means, whatever its status.
    pub async fn find(&mut self, hint: &Hint) -> Result<Option<Tenant>, StoreError> {
        match hint {
            Hint::Id(id) => self.lookup(*id).await,
            Hint::Slug(slug) => self.find_by_slug(slug).await,
            Hint::Domain(domain) => self.find_by_domain(domain).await,
        }
    }

    /// Enters the tenant a hint means: the one way to a [`TenantCtx`] on behalf of a request.
    pub async fn enter(
        &mut self,
        hint: &Hint,
        origin: Origin,
    ) -> Result<Option<Entry>, StoreError> {
        Ok(self.find(hint).await?.map(|tenant| {
            if tenant.status == TenantStatus::Active {
                Entry::Open(TenantCtx::resolved(tenant, origin))
            } else {
                Entry::Closed(tenant)
            }
        }))
    }

    /// Enters a tenant whatever its status: for workflows and the operator, never for a request.
    pub async fn enter_regardless_of_status(
        &mut self,
        id: TenantId,
    ) -> Result<Option<TenantCtx>, StoreError> {
        Ok(self
            .lookup(id)
            .await?
            .map(|tenant| TenantCtx::resolved(tenant, Origin::Operator)))
    }

    /// Tenants in the order they were made, after the one with the number `after`.
    pub async fn list(&mut self, after: i64, limit: i64) -> Result<Vec<Tenant>, StoreError> {
        fetch_all!(
            self.0,
            TenantRow,
            "SELECT id, slug, number, name, status, generation, isolation, registration, verify_email,
                    password_min, colour, logo, created_at, deleted_at, purge_at
             FROM tenants WHERE number > $1 ORDER BY number LIMIT $2",
            after,
            limit
        )?
        .into_iter()
        .map(Tenant::try_from)
        .collect()
    }

    /// Tenants that could not be made, or that nobody has been making since `before`: their work
    /// failed, stands still, takes too long, or is not there.
    pub async fn list_incomplete(
        &mut self,
        before: Timestamp,
        limit: i64,
    ) -> Result<Vec<Tenant>, StoreError> {
        fetch_all!(
            self.0,
            TenantRow,
            "SELECT id, slug, number, name, status, generation, isolation, registration, verify_email,
                    password_min, colour, logo, created_at, deleted_at, purge_at
             FROM tenants
             WHERE status = 'failed' OR (status = 'provisioning' AND NOT EXISTS (
                 SELECT 1 FROM workflows w
                 WHERE w.tenant_id = tenants.id AND w.state IN ('running', 'undoing') AND w.created_at > $1))
             ORDER BY number LIMIT $2",
            before.micros(),
            limit
        )?
        .into_iter()
        .map(Tenant::try_from)
        .collect()
    }

    /// How many tenants there are.
    pub async fn count(&mut self) -> Result<i64, StoreError> {
        let row = fetch_one!(self.0, Value, "SELECT COUNT(*) AS value FROM tenants")?;
        Ok(row.value)
    }

    /// Changes what a patch names.
    pub async fn patch(&mut self, id: TenantId, patch: &TenantPatch) -> Result<bool, StoreError> {
        self.1.note(id);
        let changed = execute!(
            self.0,
            "UPDATE tenants SET name = COALESCE($2, name), registration = COALESCE($3, registration),
                    verify_email = COALESCE($4, verify_email),
                    password_min = CASE WHEN $5 = 1 THEN $6 ELSE password_min END,
                    colour = CASE WHEN $7 = 1 THEN $8 ELSE colour END,
                    logo = CASE WHEN $9 = 1 THEN $10 ELSE logo END
             WHERE id = $1",
            id.uuid(),
            patch.name.as_deref(),
            patch.registration.map(Registration::as_str),
            patch.verify_email.map(i64::from),
            i64::from(patch.password_min.is_some()),
            match patch.password_min {
                Some(MinLength::Own(characters)) => Some(i64::from(characters)),
                Some(MinLength::Platform) | None => None,
            },
            i64::from(patch.colour.is_some()),
            patch.colour.flatten().map(|colour| colour.to_string()),
            i64::from(patch.logo.is_some()),
            patch.logo.flatten().map(|tag| tag.to_string()),
        )?;
        Ok(changed == 1)
    }

    /// Changes the status from one that was read; `false` when it is another by now.
    pub async fn change_status(
        &mut self,
        id: TenantId,
        from: TenantStatus,
        to: TenantStatus,
    ) -> Result<bool, StoreError> {
        self.1.note(id);
        let changed = execute!(
            self.0,
            "UPDATE tenants SET status = $3, deleted_at = NULL, purge_at = NULL WHERE id = $1 AND status = $2",
            id.uuid(),
            from.as_str(),
            to.as_str()
        )?;
        Ok(changed == 1)
    }

    /// Deletes with a grace; `false` when the status is another by now.
    pub async fn mark_deleted(
        &mut self,
        id: TenantId,
        from: TenantStatus,
        now: Timestamp,
        purge_at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.1.note(id);
        let changed = execute!(
            self.0,
            "UPDATE tenants SET status = 'deleted', deleted_at = $3, purge_at = $4 WHERE id = $1 AND status = $2",
            id.uuid(),
            from.as_str(),
            now.micros(),
            purge_at.micros()
        )?;
        Ok(changed == 1)
    }

    /// Begins the next generation: from here on nothing of the earlier one counts. `false` when
    /// status or generation is another by now.
    pub async fn begin_generation(
        &mut self,
        id: TenantId,
        from: TenantStatus,
        generation: Generation,
    ) -> Result<bool, StoreError> {
        self.1.note(id);
        let changed = execute!(
            self.0,
            "UPDATE tenants SET status = 'provisioning', generation = generation + 1, database_state = NULL,
                    deleted_at = NULL, purge_at = NULL
             WHERE id = $1 AND status = $2 AND generation = $3",
            id.uuid(),
            from.as_str(),
            generation.number()
        )?;
        Ok(changed == 1)
    }

    /// Makes a tenant active. The registry's own constraint refuses it unless the database record
    /// of this generation is verified. `false` when it is not in the making.
    pub async fn activate(
        &mut self,
        id: TenantId,
        generation: Generation,
    ) -> Result<bool, StoreError> {
        self.1.note(id);
        let changed = execute!(
            self.0,
            "UPDATE tenants SET status = 'active', database_state = 'verified'
             WHERE id = $1 AND generation = $2 AND status = 'provisioning'",
            id.uuid(),
            generation.number()
        )?;
        Ok(changed == 1)
    }

    /// Takes a tenant out of the registry, with its domains and its logo; its other records must be gone.
    pub async fn remove(&mut self, id: TenantId) -> Result<bool, StoreError> {
        self.1.note(id);
        execute!(
            self.0,
            "DELETE FROM tenant_domains WHERE tenant_id = $1",
            id.uuid()
        )?;
        execute!(
            self.0,
            "DELETE FROM tenant_logos WHERE tenant_id = $1",
            id.uuid()
        )?;
        Ok(execute!(self.0, "DELETE FROM tenants WHERE id = $1", id.uuid())? == 1)
    }

    /// Gives up the claim to a verified database, so that its record can go.
    pub async fn release_database(&mut self, id: TenantId) -> Result<(), StoreError> {
        execute!(
            self.0,
            "UPDATE tenants SET database_state = NULL WHERE id = $1 AND status NOT IN ('active', 'suspended')",
            id.uuid()
        )?;
        Ok(())
    }

    /// Deleted tenants whose grace has ended.
    pub async fn list_due_for_purge(
        &mut self,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<Tenant>, StoreError> {
        fetch_all!(
            self.0,
            TenantRow,
            "SELECT id, slug, number, name, status, generation, isolation, registration, verify_email,
                    password_min, colour, logo, created_at, deleted_at, purge_at
             FROM tenants WHERE status = 'deleted' AND purge_at <= $1 ORDER BY purge_at LIMIT $2",
            now.micros(),
            limit
        )?
        .into_iter()
        .map(Tenant::try_from)
        .collect()
    }
}
