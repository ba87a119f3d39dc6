//! Deleting one tenant's rows from shared tables: so many at a time, so that nobody waits long.
//!
//! The admin is under row-level security as everybody else, so that a statement that forgot its
//! condition would still delete this tenant's rows alone.

use sqlx::Row as _;

use super::ddl::{Batch, Literal, Part};
use super::name::{Common, Placement};
use super::{Cluster, ClusterError};

/// How many rows one transaction deletes, beside those that go with them by a foreign key.
const AT_ONCE: i64 = 1000;

/// Every table with a tenant's rows: what refers to others first, and the stamp last, since it
/// tells whose rows the others are.
const TABLES: &str = "
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
        WHERE n.nspname = 'tenantry' AND c.relkind = 'r'
        ORDER BY c.relname = 'tenantry_stamp',
                 EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND f.confrelid = c.oid),
                 c.relname";

impl Cluster {
    /// Deletes the tenant's rows, unless another generation of it has its home here.
    pub(super) async fn delete_rows(&self, placement: Placement) -> Result<(), ClusterError> {
        let (stem, own) = (
            Literal::tenant_stem(placement),
            Literal::schema(&placement.application_schema()),
        );
        let deleted = self
            .delete_while(
                placement,
                &[
                    &"NOT EXISTS (SELECT FROM pg_namespace WHERE starts_with(nspname, ",
                    &stem,
                    &") AND nspname <> ",
                    &own,
                    &")",
                ],
            )
            .await;
        match deleted {
            Err(error) if error.is_no_database() => Ok(()),
            outcome => outcome,
        }
    }

    /// Deletes the rows of an earlier generation, where this one has no home yet.
    pub(super) async fn delete_earlier_rows(
        &self,
        placement: Placement,
    ) -> Result<(), ClusterError> {
        let generation = placement.generation.number();
        let mut batch = Batch::new(self.version().await?);
        batch.within(placement).add(&[
            &"SELECT generation FROM tenantry.tenantry_stamp WHERE tenant_id = ",
            &placement.tenant,
        ]);
        let rows = self.run_common(Common::Shared, batch).await?;
        // The first row is that of the setting.
        let Some(stamp) = rows.get(1) else {
            return Ok(());
        };
        let found: i64 = stamp.try_get("generation")?;
        if found > generation {
            return Err(ClusterError::Superseded(
                placement.application_schema().to_string(),
            ));
        }
        if found == generation {
            return Ok(());
        }
        let own = Literal::schema(&placement.application_schema());
        self.delete_while(
            placement,
            &[
                &"NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = ",
                &own,
                &") AND EXISTS (SELECT FROM tenantry.tenantry_stamp WHERE tenant_id = ",
                &placement.tenant,
                &" AND generation < ",
                &generation,
                &")",
            ],
        )
        .await
    }

    async fn delete_while(
        &self,
        placement: Placement,
        condition: &[&dyn Part],
    ) -> Result<(), ClusterError> {
        loop {
            let mut batch = Batch::locked(self.version().await?, placement);
            batch.within(placement).delete_some(placement, condition);
            let rows = self.run_common(Common::Shared, batch).await?;
            let row = rows.last().ok_or(sqlx::Error::RowNotFound)?;
            if row.try_get::<bool, _>("done")? {
                return Ok(());
            }
        }
    }
}

impl Batch {
    /// Names the tenant whose rows the rest of the batch sees.
    fn within(&mut self, placement: Placement) -> &mut Self {
        self.add(&[
            &"SELECT set_config('tenantry.tenant', ",
            &placement.tenant,
            &", TRUE)",
        ])
    }

    /// Deletes some rows where the condition holds, and tells whether none are left.
    fn delete_some(&mut self, placement: Placement, condition: &[&dyn Part]) -> &mut Self {
        let mut parts: Vec<&dyn Part> = vec![
            &"DO $$ DECLARE name text; gone bigint; rest bigint := ",
            &AT_ONCE,
            &"; BEGIN\n    IF ",
        ];
        parts.extend(condition);
        let rest: [&dyn Part; 5] = [
            &" THEN FOR name IN ",
            &TABLES,
            &" LOOP
        EXECUTE format('DELETE FROM tenantry.%1$I WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM tenantry.%1$I WHERE tenant_id = %2$L LIMIT %3$s))', name, ",
            &placement.tenant,
            &", rest);
        GET DIAGNOSTICS gone = ROW_COUNT;
        rest := rest - gone;
        EXIT WHEN rest <= 0;
    END LOOP; END IF;
    PERFORM set_config('tenantry.done', (rest > 0)::text, TRUE);
END $$",
        ];
        parts.extend(rest);
        self.add(&parts)
            .add(&[&"SELECT current_setting('tenantry.done')::boolean AS done"])
    }
}
