//! Carrying a home over to a later generation of its tenant, with everything in it.
//!
//! Nobody of the earlier generation gets in any more: its roles lose what they own and every right,
//! in the transaction that gives the home to the later one.

use sqlx::Row as _;

use super::adopted::Fate;
use super::ddl::Batch;
use super::error::Trouble;
use super::name::{Common, Login, Placement, RoleKind, RoleName};
use super::session::Inside;
use super::{Cluster, ClusterError, HomeState};

impl Cluster {
    /// Makes the home of one generation that of a later one, and the later one's roles where they
    /// are missing. It is made but not open: [`open_home`](Self::open_home) lets in the
    /// applications. The stamp is the caller's, and the earlier roles are for
    /// [`drop_roles`](Self::drop_roles). Can be repeated, also after it got only half-way.
    ///
    /// What applications made belongs to the later generation's applications. What they granted to
    /// roles of the earlier generation by name is gone, and the text of functions that names one
    /// of its schemas does not change with it.
    ///
    /// # Errors
    /// [`ClusterError::Occupied`] where somebody whom the admin may not end is connected to the
    /// tenant's database, [`ClusterError::Missing`] where neither generation has a home.
    pub async fn carry_over(&self, from: Placement, to: Placement) -> Result<(), ClusterError> {
        if (from.tenant, from.isolation) != (to.tenant, to.isolation)
            || from.generation >= to.generation
        {
            let name = |placement: Placement| placement.role(RoleKind::Owner).to_string();
            return Err(ClusterError::Unrelated(name(from), name(to)));
        }
        let mut patience = self.patience();
        loop {
            match self.try_carry(from, to).await {
                Ok(()) => return Ok(()),
                Err(error) => patience.bear(error).await?,
            }
        }
    }

    /// Whether the later generation has the home, and the earlier one nothing any more.
    pub async fn is_carried_over(
        &self,
        from: Placement,
        to: Placement,
    ) -> Result<bool, ClusterError> {
        if !self.has_home(to).await? || self.home(from).await?.is_some() {
            return Ok(false);
        }
        let left = self.what_is_left(&self.present_roles(from).await?).await?;
        Ok(!left.owned && !left.granted)
    }

    async fn try_carry(&self, from: Placement, to: Placement) -> Result<(), ClusterError> {
        if self.is_carried_over(from, to).await? {
            return Ok(());
        }
        self.try_roles(to).await?;
        match Common::of(from.isolation) {
            None => self.carry_database(from, to).await,
            Some(common) => self.carry_schemas(common, from, to).await,
        }
    }

    async fn carry_database(&self, from: Placement, to: Placement) -> Result<(), ClusterError> {
        if self.home(to).await?.is_none() {
            let Some(state) = self.home(from).await?.filter(|state| !state.broken) else {
                return Err(self.nothing_to_carry(from, to).await);
            };
            self.vacate(from, state).await?;
            self.rename_database(from, to, state).await?;
        }
        let (earlier, lent) = self.roles_of_both(from, to).await?;
        let mut batch = Batch::locked(self.version().await?, to);
        batch
            .borrow(&lent)
            .pass_on(from, to, &earlier)
            .give_back(&lent);
        let name = self.database_name(to);
        self.run_inside(Inside::Tenant(&name), batch).await?;
        Ok(())
    }

    /// Why the earlier generation has no home: another node may just have carried it over.
    async fn nothing_to_carry(&self, from: Placement, to: Placement) -> ClusterError {
        let name = placement_owner(from).to_string();
        match self.home(to).await {
            Ok(None) => ClusterError::Missing(format!("what {name} owned")),
            Ok(Some(_)) => ClusterError::Busy(name),
            Err(error) => error,
        }
    }

    /// Lets nobody into the database any more and ends who is in, as nobody may be in what is
    /// renamed.
    async fn vacate(&self, from: Placement, state: HomeState) -> Result<(), ClusterError> {
        let owner = placement_owner(from);
        if state.accepts {
            let name = self.database_name(from);
            let mut batch = Batch::locked(self.version().await?, from);
            batch
                .borrow_unless(state.admins, &owner)
                .add(&[&"ALTER DATABASE ", &name, &" ALLOW_CONNECTIONS false"])
                .give_back_unless(state.admins, &owner);
            self.run(batch).await?;
        }
        self.try_end_all_sessions(from, &Login::ALL).await
    }

    /// Name, owner, marker and who may connect: one transaction.
    async fn rename_database(
        &self,
        from: Placement,
        to: Placement,
        state: HomeState,
    ) -> Result<(), ClusterError> {
        let (before, after) = (self.database_name(from), self.database_name(to));
        let (giver, taker) = (placement_owner(from), placement_owner(to));
        let mut batch = Batch::locked(self.version().await?, to);
        batch
            .borrow([&taker])
            .borrow_unless(state.admins, &giver)
            .add(&[&"ALTER DATABASE ", &before, &" RENAME TO ", &after]);
        for role in self.present_roles(from).await? {
            if role != giver {
                batch.add(&[&"REVOKE ALL ON DATABASE ", &after, &" FROM ", &role]);
            }
        }
        batch
            .add(&[&"ALTER DATABASE ", &after, &" OWNER TO ", &taker])
            .add(&[&"COMMENT ON DATABASE ", &after, &" IS ", &self.marker(to)])
            .add(&[&"GRANT CONNECT ON DATABASE ", &after, &" TO CURRENT_USER"])
            .add(&[&"ALTER DATABASE ", &after, &" ALLOW_CONNECTIONS true"])
            .give_back_unless(state.admins, &giver)
            .give_back([&taker]);
        let renamed = self.run(batch).await.map(drop);
        match renamed {
            Err(error) if error.trouble() == Trouble::Transient => {
                // 55006, which the server says after 5 s.
                match self.others_in(from).await? {
                    Some(by) => Err(ClusterError::Occupied {
                        database: before.to_string(),
                        by,
                    }),
                    None => Err(error),
                }
            }
            outcome => outcome,
        }
    }

    async fn carry_schemas(
        &self,
        common: Common,
        from: Placement,
        to: Placement,
    ) -> Result<(), ClusterError> {
        self.expect_no_leavings(from, Fate::CarriedOver).await?;
        let version = self.version().await?;
        let mut batch = Batch::locked(version, to);
        let (earlier, lent) = if self.home(to).await?.is_some() {
            // Only what others granted to the earlier roles since can be left.
            let (earlier, lent) = self.roles_of_both(from, to).await?;
            batch.borrow(&lent).pass_on(from, to, &earlier);
            (earlier, lent)
        } else {
            let there = self.own_schemas_there(common, from).await?;
            if there.is_empty() {
                return Err(self.nothing_to_carry(from, to).await);
            }
            self.shut_out(from, &[RoleKind::Application, RoleKind::Owner])
                .await?;
            self.try_end_all_sessions(from, &Login::ALL).await?;
            let entry = self.entry(common).await?;
            let (earlier, lent) = self.roles_of_both(from, to).await?;
            batch.borrow(&lent);
            let names = from.own_schemas().into_iter().zip(to.own_schemas());
            for (before, after) in
                names.filter(|(before, _)| there.contains(&before.as_str().to_owned()))
            {
                batch
                    .add(&[&"ALTER SCHEMA ", &before, &" RENAME TO ", &after])
                    .add(&[&"COMMENT ON SCHEMA ", &after, &" IS ", &self.marker(to)]);
            }
            batch.pass_on(from, to, &earlier);
            match common {
                Common::Schemas => {
                    batch.let_in(&entry, &placement_owner(to));
                }
                // It names the generation.
                Common::Shared => self.furnish(&mut batch, to),
            }
            (earlier, lent)
        };
        debug_assert!(earlier.iter().all(|role| lent.contains(role)));
        batch.give_back(&lent);
        self.run_common(common, batch).await?;
        Ok(())
    }

    /// Which of the tenant's schemas there are; an error where one is not its own.
    async fn own_schemas_there(
        &self,
        common: Common,
        placement: Placement,
    ) -> Result<Vec<String>, ClusterError> {
        if self.schemas_state(placement).await?.is_none() {
            return Ok(Vec::new());
        }
        let names: Vec<String> = placement
            .own_schemas()
            .iter()
            .map(|name| name.as_str().to_owned())
            .collect();
        let look =
            sqlx::query("SELECT nspname::text AS name FROM pg_namespace WHERE nspname = ANY($1)")
                .bind(names);
        let rows = self.look_common(common, look).await?.unwrap_or_default();
        let mut there = Vec::new();
        for row in &rows {
            there.push(row.try_get("name")?);
        }
        Ok(there)
    }

    /// The earlier generation's roles, and all that takes to pass on what they own.
    async fn roles_of_both(
        &self,
        from: Placement,
        to: Placement,
    ) -> Result<(Vec<RoleName>, Vec<RoleName>), ClusterError> {
        let earlier = self.present_roles(from).await?;
        let mut lent = self.with_grantors(&earlier).await?;
        for kind in [RoleKind::Owner, RoleKind::Application] {
            let role = to.role(kind);
            if !lent.contains(&role) {
                lent.push(role);
            }
        }
        Ok((earlier, lent))
    }
}

fn placement_owner(placement: Placement) -> RoleName {
    placement.role(RoleKind::Owner)
}

impl Batch {
    /// Hands what an earlier generation's roles own to the later one's, and takes every right from
    /// them. In a batch that has borrowed all of them.
    fn pass_on(&mut self, from: Placement, to: Placement, earlier: &[RoleName]) -> &mut Self {
        for kind in from.role_kinds() {
            let giver = from.role(*kind);
            if !earlier.contains(&giver) {
                continue;
            }
            let taker = match kind {
                RoleKind::Owner | RoleKind::Login(Login::Service) => RoleKind::Owner,
                RoleKind::Application | RoleKind::Login(Login::A | Login::B) => {
                    RoleKind::Application
                }
            };
            let taker = to.role(taker);
            self.add(&[&"REASSIGN OWNED BY ", &giver, &" TO ", &taker]);
        }
        self.drop_owned(earlier)
    }

    fn borrow_unless(&mut self, not: bool, role: &RoleName) -> &mut Self {
        if not { self } else { self.borrow([role]) }
    }

    fn give_back_unless(&mut self, not: bool, role: &RoleName) -> &mut Self {
        if not { self } else { self.give_back([role]) }
    }
}
