//! Writing the record of a database anew that says itself whose it is.

use tenantry_core::tenant::Tenant;
use tenantry_store::homes::Home;
use tenantry_store::tenant::{Stamp, TENANT_SCHEMA};
use tenantry_store::{StoreError, TenantCtx};

use super::server::on_server;
use crate::check::Surroundings;
use crate::check::database::Whereabouts;
use crate::clusters::Site;
use crate::{Refusal, Service};

impl Service {
    /// Writes the record of a database that carries the tenant's stamp, and on a cluster its
    /// marker too. Nothing where there is none, or where it says something else.
    pub(super) async fn rebuild_record(&self, tenant: &Tenant) -> Result<(), Refusal> {
        let mut control = self.control().read().await?;
        let ctx = control
            .tenants()
            .enter_regardless_of_status(tenant.id)
            .await?;
        let recorded = control
            .databases()
            .lookup(tenant.id, tenant.generation)
            .await?;
        drop(control);
        let Some(ctx) = ctx.filter(|ctx| ctx.generation() == tenant.generation) else {
            return Ok(());
        };
        if let Some(record) = recorded {
            // It was never verified.
            let stamp = self.home_of(tenant).await?.read_stamp().await;
            let site = Site::of(&record);
            return self
                .record_if_ours(tenant, &site, stamp.map_err(on_server)?)
                .await;
        }
        match self.find_unrecorded(&ctx, &Surroundings::default()).await? {
            Whereabouts::File => {
                let files = self.pools().files();
                let stamp = files.stamp(tenant.id, tenant.generation).await?;
                self.record_if_ours(tenant, &Site::Local, stamp).await
            }
            Whereabouts::Cluster(cluster) => self.record_on(&ctx, cluster).await,
            Whereabouts::Nowhere | Whereabouts::Unknown(_) => Ok(()),
        }
    }

    pub(super) async fn home_of(&self, tenant: &Tenant) -> Result<Home<'_>, Refusal> {
        let home = self
            .pools()
            .home(tenant.id, tenant.generation, tenant.isolation);
        home.await.map_err(on_server)
    }

    async fn record_if_ours(
        &self,
        tenant: &Tenant,
        site: &Site,
        stamp: Option<Stamp>,
    ) -> Result<(), Refusal> {
        if stamp
            .is_none_or(|stamp| (stamp.tenant, stamp.generation) != (tenant.id, tenant.generation))
        {
            return Ok(());
        }
        let now = self.clock().now();
        let record = site.record(tenant.id, tenant.generation, tenant.isolation);
        let mut tx = self.control().begin().await?;
        tx.databases().add(&record, now).await?;
        tx.databases()
            .mark_verified(tenant.id, tenant.generation, TENANT_SCHEMA, now)
            .await?;
        Ok(tx.commit().await?)
    }

    /// The stamp lies inside. Where the stored secret is gone with the record, a new one has to be
    /// written down before the role gets it, and that needs a record; it is taken back where the
    /// stamp turns out to be another's.
    async fn record_on(&self, ctx: &TenantCtx, cluster: String) -> Result<(), Refusal> {
        let tenant = ctx.tenant();
        let site = Site::Cluster(cluster.clone());
        let mut tx = self.control().begin().await?;
        let credentials = tx.credentials().list(tenant.id, tenant.generation).await?;
        let drawn = credentials.is_empty();
        if drawn {
            let record = site.record(tenant.id, tenant.generation, tenant.isolation);
            tx.databases().add(&record, self.clock().now()).await?;
            self.draw_service_secret(&mut tx, tenant).await?;
            tx.commit().await?;
        }
        let place = self.place_on(&cluster, tenant).await?;
        let home = self.pools().home_on(place).await.map_err(on_server)?;
        if drawn {
            home.admit_service().await.map_err(on_server)?;
        }
        let stamp = match home.read_stamp().await {
            Err(StoreError::SignIn(_)) => {
                home.admit_service().await.map_err(on_server)?;
                home.read_stamp().await
            }
            stamp => stamp,
        };
        let ours = matches!(&stamp, Ok(Some(stamp))
            if (stamp.tenant, stamp.generation) == (tenant.id, tenant.generation));
        if drawn && !ours {
            let mut tx = self.control().begin().await?;
            tx.databases().remove(tenant.id, tenant.generation).await?;
            tx.commit().await?;
        }
        let stamp = stamp.map_err(on_server)?;
        self.record_if_ours(tenant, &site, stamp).await?;
        self.activate_service_secret(tenant).await
    }
}
