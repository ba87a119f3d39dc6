//! The owner of a tenant to make: drawn, sealed into the plan, and its address reserved.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tenantry_core::{Email, Generation, Locale, OneTimeId, OutboxId, TenantId, UserId};
use tenantry_keys::token::TokenKind;
use tenantry_store::ControlTx;
use tenantry_store::control::Reservation;

use super::NewOwner;
use crate::password::Holder;
use crate::workflows::{OwnerPlan, Plan, SetupPlan};
use crate::{Refusal, Service};

impl Service {
    /// Reserves the owner's address, decided by the directory's own constraint.
    pub(crate) async fn reserve_owner(
        &self,
        tx: &mut ControlTx,
        plan: &Plan,
        user: UserId,
        email: &Email,
    ) -> Result<(), Refusal> {
        match self.shared().reserve_owner(tx, plan, user, email).await? {
            Reservation::Held => Ok(()),
            Reservation::Taken => Err(Refusal::EmailTaken),
        }
    }

    pub(crate) async fn owner_plan(
        &self,
        owner: &NewOwner,
        (tenant, generation): (TenantId, Generation),
        locale: Option<Locale>,
        holder: Holder,
    ) -> Result<OwnerPlan, Refusal> {
        let password_hash = match &owner.password {
            Some(password) => {
                let holder = owner.holder(holder);
                let password = self
                    .chosen_password("owner.password", password, &holder)
                    .await?;
                Some(self.hash_password(None, password).await?)
            }
            None => None,
        };
        let setup = password_hash.is_none().then(|| {
            let id = OneTimeId::generate(self.clock(), self.entropy());
            let scope = Some((tenant, generation));
            let (token, hash) =
                self.keyring()
                    .tokens()
                    .mint(TokenKind::Setup, scope, id.uuid(), self.entropy());
            SetupPlan {
                id,
                token: token.expose().clone(),
                hash: hash.into_bytes(),
                mail: OutboxId::generate(self.clock(), self.entropy()),
                locale: locale.unwrap_or(self.settings().mail_locale),
            }
        });
        Ok(OwnerPlan {
            id: UserId::generate(self.clock(), self.entropy()),
            email: owner.email.clone(),
            username: owner.username.as_ref().map(|name| name.as_str().to_owned()),
            full_name: owner.full_name.clone(),
            password_hash,
            setup,
        })
    }

    pub(crate) fn seal_owner(&self, plan: &mut Plan, owner: &OwnerPlan) -> Result<(), Refusal> {
        let plain =
            serde_json::to_vec(owner).map_err(Refusal::failed("a plan could not be recorded"))?;
        let sealed = self.keyring().seal(
            &plain,
            &crate::workflows::owner_context(plan),
            self.entropy(),
        );
        plan.owner =
            Some(STANDARD.encode(sealed.map_err(Refusal::failed("a plan could not be sealed"))?));
        Ok(())
    }
}
