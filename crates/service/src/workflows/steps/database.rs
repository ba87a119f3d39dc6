//! A generation's database: making it, carrying an earlier one over, removing it.

use tenantry_core::Generation;
use tenantry_saga::StepError;

use super::Steps;
use crate::workflows::Plan;

impl Steps {
    pub(in crate::workflows) async fn make_roles(&self, plan: &Plan) -> Result<(), StepError> {
        Ok(self.home(plan, plan.generation).await?.make_roles().await?)
    }

    pub(in crate::workflows) async fn is_created(&self, plan: &Plan) -> Result<bool, StepError> {
        Ok(self.home(plan, plan.generation).await?.is_created().await?)
    }

    pub(in crate::workflows) async fn create_database(&self, plan: &Plan) -> Result<(), StepError> {
        let home = self.home(plan, plan.generation).await?;
        Ok(home.create(plan.at).await?)
    }

    pub(in crate::workflows) async fn furnish_database(
        &self,
        plan: &Plan,
    ) -> Result<(), StepError> {
        Ok(self.home(plan, plan.generation).await?.furnish().await?)
    }

    pub(in crate::workflows) async fn admit_service(&self, plan: &Plan) -> Result<(), StepError> {
        let home = self.home(plan, plan.generation).await?;
        Ok(home.admit_service().await?)
    }

    pub(in crate::workflows) async fn stamp(&self, plan: &Plan) -> Result<(), StepError> {
        let home = self.home(plan, plan.generation).await?;
        Ok(home.stamp(plan.at).await?)
    }

    /// Whether the new generation is whole: on a server its database is there before the stamp.
    pub(in crate::workflows) async fn is_carried_over(
        &self,
        plan: &Plan,
    ) -> Result<bool, StepError> {
        let home = self.home(plan, plan.generation).await?;
        if home.server().is_some() {
            // Repeating it finds each part done.
            return Ok(false);
        }
        Ok(home.is_created().await?)
    }

    pub(in crate::workflows) async fn carry_over_database(
        &self,
        plan: &Plan,
    ) -> Result<(), StepError> {
        let previous = plan
            .previous
            .ok_or_else(|| StepError::Fatal("the plan has no earlier generation".to_owned()))?;
        let home = self.home(plan, plan.generation).await?;
        Ok(home.carry_over(previous, plan.at).await?)
    }

    pub(in crate::workflows) async fn remove_database(
        &self,
        plan: &Plan,
        generation: Generation,
    ) -> Result<(), StepError> {
        let home = self.home(plan, generation).await?;
        self.0.pools.close(plan.tenant, generation).await;
        Ok(home.remove().await?)
    }

    pub(in crate::workflows) async fn remove_previous(&self, plan: &Plan) -> Result<(), StepError> {
        // Also those before it: work that stood still and was given up has left its own.
        let records = self
            .0
            .control
            .read()
            .await?
            .databases()
            .list(plan.tenant)
            .await?;
        let recorded = records.into_iter().map(|record| record.generation);
        let earlier: std::collections::BTreeSet<Generation> = recorded
            .chain(plan.previous)
            .filter(|generation| *generation < plan.generation)
            .collect();
        for generation in &earlier {
            self.remove_database(plan, *generation).await?;
        }
        let mut tx = self.0.control.begin().await?;
        for generation in earlier {
            tx.databases().remove(plan.tenant, generation).await?;
        }
        Ok(tx.commit().await?)
    }

    pub(in crate::workflows) async fn remove_databases(
        &self,
        plan: &Plan,
    ) -> Result<(), StepError> {
        let records = self
            .0
            .control
            .read()
            .await?
            .databases()
            .list(plan.tenant)
            .await?;
        // Also what a record never named, should an earlier run have died before writing it.
        let files = self.0.pools.files().list()?;
        let found = files
            .iter()
            .filter_map(|file| file.owner)
            .filter(|(tenant, _)| *tenant == plan.tenant);
        for (_, generation) in found {
            self.0.pools.close(plan.tenant, generation).await;
            self.0.pools.files().remove(plan.tenant, generation)?;
        }
        for record in records {
            self.remove_database(plan, record.generation).await?;
        }
        Ok(())
    }
}
