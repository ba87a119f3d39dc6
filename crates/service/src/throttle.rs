//! The one place where wrong tries of any secret are counted: inside its verifier.
//!
//! A try is counted as a failure before the secret is compared, and forgiven when it fitted, so
//! that many tries at the same moment can't get past the limit.

mod notice;

pub(crate) use notice::Locked;

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tenantry_core::throttle::Limits;
use tenantry_core::{AdminId, TenantId, Timestamp, UserId};
use tenantry_store::control::Counted;
use tenantry_store::{ControlTx, StoreError};

use crate::{Refusal, Service};

/// An account a secret is tried on.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Account {
    /// A person's in a tenant.
    User(TenantId, UserId),
    /// A platform admin's.
    Admin(AdminId),
}

impl Account {
    fn label(self) -> String {
        match self {
            Self::User(tenant, user) => format!("user:{tenant}:{user}"),
            Self::Admin(admin) => format!("admin:{admin}"),
        }
    }
}

/// What somebody typed to say who they are, and the tenant that was named beside it.
#[derive(Debug, Clone)]
pub(crate) struct Typed {
    /// The tenant, if one was named.
    pub(crate) tenant: Option<TenantId>,
    /// The normalised address or username.
    pub(crate) name: String,
}

impl Typed {
    fn label(&self) -> String {
        self.tenant.map_or_else(
            || format!("typed:-:{}", self.name),
            |tenant| format!("typed:{tenant}:{}", self.name),
        )
    }
}

/// The network a request comes from: an IPv4 address, or the /64 an IPv6 address lies in, since
/// one subscriber has all of it.
fn network(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => format!("net:{ip}"),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("net:{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// Ways in whose wrong tries are counted together. Codes are counted apart from passwords and PINs:
/// whoever mistyped a password often is the one who asks for a code, and a stranger's wrong
/// passwords must not take that way from the owner. A code has few tries of its own besides.
#[derive(Clone, Copy, PartialEq)]
struct Ways {
    prefix: &'static str,
    limits: Limits,
}

impl Ways {
    const PASSWORDS: Self = Self {
        prefix: "",
        limits: Limits::ACCOUNT,
    };
    const CODES: Self = Self {
        prefix: "code:",
        limits: Limits::CODES,
    };
}

/// What is counted under which limits.
#[derive(Clone, Copy)]
struct Key {
    hash: [u8; 32],
    limits: Limits,
    /// Until when this try itself made others wait, once it is counted.
    own_pause: Timestamp,
}

/// A counted try. Unless it [succeeds](Service::succeed), it stays a failure.
///
/// What can make somebody wait is counted by what was typed, the network and the tenant, for known
/// and unknown people alike. Each account has a count of its own beside that, so that a guess by
/// address, by username and without a tenant share one limit; past it the secret is just not
/// compared, which looks like a wrong one and tells nobody that the account is there.
#[derive(Default)]
pub(crate) struct Attempt {
    typed: Option<Key>,
    wider: Vec<Key>,
    accounts: Vec<AccountKeys>,
}

#[derive(Clone, Copy)]
struct AccountKeys {
    own: Key,
    /// Where several accounts are tried at once.
    beside: Option<Key>,
    /// How long the account must wait; until then nothing is compared and nothing counted.
    wait: Option<Duration>,
}

impl Attempt {
    /// How long the account at this place must wait; `None` where its secret may be compared.
    pub(crate) fn wait(&self, place: usize) -> Option<Duration> {
        self.accounts.get(place).and_then(|account| account.wait)
    }
}

/// Counts one key; how long it must wait, if it must, and else how many failures in a row it has.
async fn count(tx: &mut ControlTx, key: &mut Key, now: Timestamp) -> Result<Counted, StoreError> {
    let counted = tx.throttle().count(&key.hash, &key.limits, now).await?;
    if let Counted::Go(failures) = counted {
        let pause = key.limits.pause_after(failures);
        key.own_pause = pause.map_or(Timestamp::from_micros(i64::MAX), |pause| now + pause);
    }
    Ok(counted)
}

async fn forgive(tx: &mut ControlTx, key: &Key) -> Result<(), StoreError> {
    tx.throttle()
        .forgive(&key.hash, key.limits.free, key.own_pause)
        .await
}

impl Service {
    fn throttle_key(&self, label: &str, limits: Limits) -> Key {
        let hash = self
            .keyring()
            .directory()
            .hash(&format!("throttle:{label}"));
        Key {
            hash,
            limits,
            own_pause: Timestamp::from_micros(0),
        }
    }

    /// As [`attempt`](Self::attempt) for a one-time code, which has a limit of its own beside it:
    /// another code does not give more tries.
    pub(crate) async fn attempt_code(
        &self,
        typed: &Typed,
        accounts: &[Account],
        ip: Option<IpAddr>,
    ) -> Result<Attempt, Refusal> {
        let of_codes = Typed {
            tenant: typed.tenant,
            name: format!("{}{}", Ways::CODES.prefix, typed.name),
        };
        self.count_attempt(Some(&of_codes), Ways::CODES, accounts, ip)
            .await
    }

    /// The network as a key, for what is fair between networks.
    pub(crate) fn network_key(&self, ip: IpAddr) -> [u8; 32] {
        self.throttle_key(&network(ip), Limits::NETWORK).hash
    }

    fn account_keys(&self, account: Account, ways: Ways, several: bool) -> AccountKeys {
        let label = format!("{}{}", ways.prefix, account.label());
        let beside = format!("beside:{label}");
        AccountKeys {
            own: self.throttle_key(&label, ways.limits),
            beside: several.then(|| self.throttle_key(&beside, Limits::BESIDE)),
            wait: None,
        }
    }

    /// Counts a try before anything is compared. Whoever must wait is told for how long, and
    /// nothing is counted then.
    pub(crate) async fn attempt(
        &self,
        typed: Option<&Typed>,
        accounts: &[Account],
        ip: Option<IpAddr>,
    ) -> Result<Attempt, Refusal> {
        self.count_attempt(typed, Ways::PASSWORDS, accounts, ip)
            .await
    }

    async fn count_attempt(
        &self,
        typed: Option<&Typed>,
        ways: Ways,
        accounts: &[Account],
        ip: Option<IpAddr>,
    ) -> Result<Attempt, Refusal> {
        if !self.settings().rate_limits {
            return Ok(Attempt::default());
        }
        let now = self.clock().now();
        let mut attempt = Attempt {
            typed: typed.map(|typed| self.throttle_key(&typed.label(), ways.limits)),
            wider: ip
                .map(|ip| self.throttle_key(&network(ip), Limits::NETWORK))
                .into_iter()
                .collect(),
            accounts: accounts
                .iter()
                .map(|account| self.account_keys(*account, ways, accounts.len() > 1))
                .collect(),
        };
        let mut tx = self.control().begin().await?;
        let mut spotless = true;
        for key in attempt.wider.iter_mut().chain(&mut attempt.typed) {
            match count(&mut tx, key, now).await? {
                Counted::Go(failures) => spotless &= failures <= 1,
                Counted::Wait(pause) => return Err(Refusal::RateLimited(pause)),
            }
        }
        if let Some(tenant) = typed.and_then(|typed| typed.tenant) {
            let mut key = self.throttle_key(&format!("tenant:{tenant}"), Limits::TENANT);
            match count(&mut tx, &mut key, now).await? {
                Counted::Go(_) => attempt.wider.push(key),
                Counted::Wait(pause) if !spotless => return Err(Refusal::RateLimited(pause)),
                Counted::Wait(_) => {}
            }
        }
        for (account, keys) in accounts.iter().zip(&mut attempt.accounts) {
            if let Some(beside) = &mut keys.beside
                && let Counted::Wait(pause) = count(&mut tx, beside, now).await?
            {
                keys.wait = Some(pause);
                continue;
            }
            match count(&mut tx, &mut keys.own, now).await? {
                Counted::Wait(pause) => keys.wait = Some(pause),
                // Counting is atomic, so that one try of however many sees this number.
                Counted::Go(failures)
                    if ways == Ways::PASSWORDS && failures == ways.limits.free =>
                {
                    self.note_locked(&mut tx, *account).await?;
                }
                Counted::Go(_) => {}
            }
        }
        tx.commit().await?;
        Ok(attempt)
    }

    /// Whether an account was kept waiting and nobody proved to be its owner since.
    pub(crate) async fn is_locked(&self, account: Account) -> Result<bool, Refusal> {
        let key = self.account_keys(account, Ways::PASSWORDS, false).own;
        let mut tx = self.control().read().await?;
        Ok(tx.throttle().failures(&key.hash).await? >= key.limits.free)
    }

    /// Takes a try back: the secret fitted at these accounts. They start anew; network and tenant
    /// lose just this one, or an attacker could wash a network clean with an account of his own.
    ///
    /// Accounts beside them, where the same secret was tried and did not fit, lose this one too:
    /// it is somebody's right secret, so it was no guess of theirs. It stays on their other count.
    pub(crate) async fn succeed(&self, attempt: Attempt, fitting: &[usize]) -> Result<(), Refusal> {
        let mut tx = self.control().begin().await?;
        for key in &attempt.wider {
            forgive(&mut tx, key).await?;
        }
        if let Some(key) = &attempt.typed {
            tx.throttle().clear(&key.hash).await?;
        }
        for (place, account) in attempt.accounts.iter().enumerate() {
            if fitting.contains(&place) {
                for key in account.beside.iter().chain([&account.own]) {
                    tx.throttle().clear(&key.hash).await?;
                }
            } else if account.wait.is_none() {
                forgive(&mut tx, &account.own).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// Takes a try back that was never made: something else kept the secret from being compared.
    pub(crate) async fn withdraw(&self, attempt: Attempt) -> Result<(), Refusal> {
        let mut keys: Vec<Key> = attempt.wider;
        keys.extend(attempt.typed);
        for account in attempt.accounts {
            if account.wait.is_none() {
                keys.push(account.own);
                keys.extend(account.beside);
            }
        }
        let mut tx = self.control().begin().await?;
        for key in &keys {
            forgive(&mut tx, key).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Counts something that somebody asks for and that costs another person's patience, such as a
    /// mail; whether it may go on. Whoever is refused is not told: known and unknown alike are
    /// answered as ever.
    pub(crate) async fn may_ask(
        &self,
        what: &str,
        typed: &Typed,
        from: Option<IpAddr>,
        tx: &mut ControlTx,
    ) -> Result<bool, Refusal> {
        if !self.settings().rate_limits {
            return Ok(true);
        }
        let now = self.clock().now();
        let mut go = true;
        let network = from.map(network).unwrap_or_default();
        for (label, limits) in [
            // By network: a stranger elsewhere can't use up what the address's owner may ask for.
            (
                format!("{what}:{}:{network}", typed.label()),
                Limits::ASKING,
            ),
            // Over all tenants and kinds, or one address could be flooded by way of many.
            (format!("mail:{}", typed.name), Limits::MAILS),
        ] {
            let mut key = self.throttle_key(&label, limits);
            go &= matches!(count(tx, &mut key, now).await?, Counted::Go(_));
        }
        Ok(go)
    }

    /// Lets an account's owner try again at once, by each of these names, with and without the
    /// tenant.
    pub(crate) async fn unlock(&self, account: Account, names: &[String]) -> Result<(), Refusal> {
        let tenant = match account {
            Account::User(tenant, _) => Some(tenant),
            Account::Admin(_) => None,
        };
        let mut keys: Vec<Key> = Vec::new();
        for ways in [Ways::PASSWORDS, Ways::CODES] {
            let own = self.account_keys(account, ways, true);
            keys.extend(own.beside.into_iter().chain([own.own]));
            for name in names {
                for tenant in [tenant, None] {
                    let name = format!("{}{name}", ways.prefix);
                    let typed = Typed { tenant, name };
                    keys.push(self.throttle_key(&typed.label(), ways.limits));
                }
            }
        }
        let mut tx = self.control().begin().await?;
        for key in &keys {
            tx.throttle().clear(&key.hash).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_subscriber_is_one_network() {
        let of = |text: &str| text.parse().map(network).unwrap_or_default();
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.7"), of("192.0.2.7"));
        assert_ne!(of("192.0.2.7"), of("192.0.2.8"));
    }
}
