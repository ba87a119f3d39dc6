//! The one place where wrong tries of any secret are counted: inside its verifier.
//!
//! A try is counted as a failure before the secret is compared, and forgiven when it fitted, so
//! that many tries at the same moment can't get past the limit.

use std::net::IpAddr;
use std::time::Duration;

use tenantry_core::throttle::Limits;
use tenantry_core::{TenantId, UserId};
use tenantry_store::control::Counted;

use crate::{Refusal, Service};

/// What is guessed at.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// A person's password in a tenant.
    User(TenantId, UserId),
    /// A platform admin's password.
    Admin(tenantry_core::AdminId),
    /// The password of whoever has this name; there may be nobody.
    Unknown(Option<TenantId>, String),
    /// A link that names nobody.
    Link,
}

impl Target {
    fn tenant(&self) -> Option<TenantId> {
        match self {
            Self::User(tenant, _) => Some(*tenant),
            Self::Unknown(tenant, _) => *tenant,
            Self::Admin(_) | Self::Link => None,
        }
    }

    fn label(&self) -> Option<String> {
        match self {
            Self::User(tenant, user) => Some(format!("user:{tenant}:{user}")),
            Self::Admin(admin) => Some(format!("admin:{admin}")),
            Self::Unknown(Some(tenant), name) => Some(format!("unknown:{tenant}:{name}")),
            Self::Unknown(None, name) => Some(format!("unknown:-:{name}")),
            Self::Link => None,
        }
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

/// A counted try. Unless it is [forgiven](Service::forgive), it stays a failure.
pub(crate) struct Try {
    keys: Vec<([u8; 32], Limits, Scope)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Account,
    Wider,
}

impl Service {
    fn throttle_key(&self, label: &str) -> [u8; 32] {
        self.keyring()
            .directory()
            .hash(&format!("throttle:{label}"))
    }

    fn throttle_keys(&self, target: &Target) -> Vec<([u8; 32], Limits, Scope)> {
        let mut keys = Vec::with_capacity(3);
        if let Some(tenant) = target.tenant() {
            let key = self.throttle_key(&format!("tenant:{tenant}"));
            keys.push((key, Limits::TENANT, Scope::Wider));
        }
        if let Some(label) = target.label() {
            keys.push((self.throttle_key(&label), Limits::ACCOUNT, Scope::Account));
        }
        keys
    }

    /// Counts a try at every target; those that must wait are left out, and if all must, the
    /// caller is told for how long. The network is the same for all targets of one request: it
    /// counts once, and a network that must wait waits at each.
    pub(crate) async fn count_tries(
        &self,
        targets: &[Target],
        ip: Option<IpAddr>,
    ) -> Result<Vec<Option<Try>>, Refusal> {
        if !self.settings().rate_limits {
            return Ok(targets
                .iter()
                .map(|_| Some(Try { keys: Vec::new() }))
                .collect());
        }
        let now = self.clock().now();
        let mut tx = self.control().begin().await?;
        let mut from = None;
        if let Some(ip) = ip {
            let key = self.throttle_key(&network(ip));
            let counted = tx.throttle().count(&key, &Limits::NETWORK, now).await?;
            if let Counted::Wait(pause) = counted {
                return Err(Refusal::RateLimited(pause));
            }
            from = Some((key, Limits::NETWORK, Scope::Wider));
        }
        let mut tries = Vec::with_capacity(targets.len());
        let mut shortest: Option<Duration> = None;
        for target in targets {
            let mut keys = self.throttle_keys(target);
            let mut wait = None;
            for (key, limits, _) in &keys {
                if let Counted::Wait(pause) = tx.throttle().count(key, limits, now).await? {
                    wait = Some(pause);
                    break;
                }
            }
            if let Some(wait) = wait {
                shortest = Some(shortest.map_or(wait, |shorter| shorter.min(wait)));
                tries.push(None);
            } else {
                keys.extend(from.take());
                tries.push(Some(Try { keys }));
            }
        }
        tx.commit().await?;
        match shortest {
            Some(wait) if tries.iter().all(Option::is_none) => Err(Refusal::RateLimited(wait)),
            _ => Ok(tries),
        }
    }

    /// Takes a try back: the secret fitted. The account starts anew; network and tenant lose just
    /// this one, or an attacker could wash a network clean with an account of his own.
    pub(crate) async fn forgive(
        &self,
        tries: impl IntoIterator<Item = Try>,
    ) -> Result<(), Refusal> {
        self.forgive_beside(tries, []).await
    }

    /// The same; and at `others` the one secret was tried too, where it did not fit. Since it is
    /// somebody's right one, that was no guess: they lose just this one, or a person in several
    /// tenants would lock the own accounts by signing in.
    pub(crate) async fn forgive_beside(
        &self,
        tries: impl IntoIterator<Item = Try>,
        others: impl IntoIterator<Item = Try>,
    ) -> Result<(), Refusal> {
        let fitted = tries.into_iter().flat_map(|counted| counted.keys);
        let beside = others.into_iter().flat_map(|counted| counted.keys);
        let beside = beside.map(|(key, limits, _)| (key, limits, Scope::Wider));
        let mut tx = self.control().begin().await?;
        for (key, limits, scope) in fitted.chain(beside) {
            match scope {
                Scope::Account => tx.throttle().clear(&key).await?,
                Scope::Wider => tx.throttle().forgive(&key, limits.free).await?,
            }
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
