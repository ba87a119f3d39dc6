//! Whether the parts work.

mod look;

use std::time::Duration;

use tenantry_mail::Transport;
use tenantry_store::control::ControlUrl;
use tokio::task::JoinSet;
use tokio::time::timeout;

pub(crate) use look::Looked;

use crate::clusters::explained;
use crate::refusal::Chain;
use crate::{Refusal, Service};

/// How long a cluster may take to answer before it counts as away. Whoever asks whether we are
/// ready waits no longer for it, and has a deadline of his own.
const PATIENCE: Duration = Duration::from_secs(1);

/// The same for the control database. Longer, since without it this process is taken out of
/// service, and not for being busy a moment. So long may the mail server take as well, where
/// somebody waits who asks whether we are ready.
const NEEDED: Duration = Duration::from_secs(2);

/// How a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartState {
    /// It works.
    Up,
    /// It does not, and the service gets along without for a while.
    Degraded,
    /// It does not, and nothing works without it.
    Down,
}

/// A part and how it is.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// How it is.
    pub state: PartState,
    /// What is wrong, for the operator. Not for anonymous answers.
    pub detail: Option<String>,
}

impl Part {
    /// One without which the service gets along for a while, after a look at it.
    fn needed_little<E: std::error::Error + 'static>(name: &str, looked: Result<(), E>) -> Self {
        let detail = looked.err().map(|error| Chain(&error).to_string());
        Self {
            name: name.to_owned(),
            state: match detail {
                None => PartState::Up,
                Some(_) => PartState::Degraded,
            },
            detail,
        }
    }
}

impl Service {
    /// Looks at each part, whatever was seen a moment ago.
    pub async fn parts(&self) -> Vec<Part> {
        self.look_at_parts(Transport::LONGEST_SEND).await
    }

    /// All at once: each has a limit of its own, and nobody waits for their sum. The mail server
    /// may take this long: some make every client wait before they greet.
    async fn look_at_parts(&self, mail_within: Duration) -> Vec<Part> {
        // On the heap: dialogues with servers are large futures.
        let (control, mail, redis, clusters) = tokio::join!(
            Box::pin(self.control_part()),
            Box::pin(self.mail_part(mail_within)),
            Box::pin(self.redis_part()),
            Box::pin(self.cluster_parts()),
        );
        let mut parts = vec![control, mail];
        parts.extend(redis);
        parts.extend(clusters);
        parts
    }

    async fn mail_part(&self, within: Duration) -> Part {
        match timeout(within, self.mail().check()).await {
            Ok(looked) => Part::needed_little("mail", looked),
            Err(_) => Part {
                name: "mail".to_owned(),
                state: PartState::Degraded,
                detail: Some(format!("the mail server did not answer within {within:?}")),
            },
        }
    }

    async fn control_part(&self) -> Part {
        let asked = async { self.control().read().await?.instance().ping().await };
        let detail = match timeout(NEEDED, asked).await {
            Ok(asked) => asked.err().map(|error| Chain(&error).to_string()),
            Err(_) => Some(format!("it did not answer within {NEEDED:?}")),
        };
        Part {
            name: "control_database".to_owned(),
            state: match detail {
                None => PartState::Up,
                Some(_) => PartState::Down,
            },
            detail,
        }
    }

    /// Redis, where there is one. Also where sessions lie in it the service gets along for a while:
    /// then nobody is judged meanwhile, and taking this process out of service would mend nothing.
    async fn redis_part(&self) -> Option<Part> {
        let redis = self.settings().redis.as_ref()?;
        Some(Part::needed_little("redis", redis.check().await))
    }

    /// Each cluster as a part: without one, the tenants on the others go on.
    async fn cluster_parts(&self) -> Vec<Part> {
        // Where the registry can't be read, that is the part that tells.
        let looked = timeout(NEEDED + PATIENCE, self.look_at_clusters()).await;
        looked.map(Result::unwrap_or_default).unwrap_or_default()
    }

    async fn look_at_clusters(&self) -> Result<Vec<Part>, Refusal> {
        let records = self.control().read().await?.clusters().list().await?;
        let mut asked = JoinSet::new();
        for (place, record) in records.into_iter().enumerate() {
            let service = self.clone();
            asked.spawn(async move {
                let detail = match timeout(PATIENCE, service.reach_cluster(&record.name)).await {
                    Ok(Ok(())) => None,
                    Ok(Err(why)) => Some(why),
                    Err(_) => Some(format!("the server did not answer within {PATIENCE:?}")),
                };
                let part = Part {
                    name: format!("cluster:{}", record.name),
                    state: if detail.is_none() {
                        PartState::Up
                    } else {
                        PartState::Degraded
                    },
                    detail,
                };
                (place, part)
            });
        }
        let mut parts = asked.join_all().await;
        parts.sort_by_key(|(place, _)| *place);
        Ok(parts.into_iter().map(|(_, part)| part).collect())
    }

    /// Reaches a cluster, or says why it can't be.
    async fn reach_cluster(&self, name: &str) -> Result<(), String> {
        let clusters = self.clusters().map_err(|refusal| refusal.to_string())?;
        let cluster = clusters.find(name).await;
        let cluster = cluster.map_err(|error| Chain(&error).to_string())?;
        cluster.reach().await.map_err(|error| explained(&error))
    }

    /// Numbers for the metrics page.
    pub fn gauges(&self) -> Gauges {
        Gauges {
            open_tenant_databases: self.pools().open_count(),
            password_queue: self.hasher().load().waiting,
        }
    }
}

/// Numbers that tell how busy the service is.
#[derive(Debug, Clone, Copy)]
pub struct Gauges {
    /// Tenant databases that are open.
    pub open_tenant_databases: usize,
    /// Password hashes that wait.
    pub password_queue: usize,
}

/// Whether SQLite must not be used where this control database lies.
pub fn on_network_file_system(url: &ControlUrl) -> bool {
    match url {
        ControlUrl::Sqlite(path) => path
            .parent()
            .is_some_and(tenantry_store::control::is_network_file_system),
        ControlUrl::Postgres(_) => false,
    }
}
