//! Whether the parts work.

use std::sync::PoisonError;
use std::time::Duration;

use tenantry_store::control::ControlUrl;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::clusters::explained;
use crate::refusal::Chain;
use crate::{Refusal, Service};

/// How long a cluster may take to answer before it counts as away. Whoever asks whether we are
/// ready waits no longer for it, and has a deadline of his own.
const PATIENCE: Duration = Duration::from_secs(1);

/// The same for the control database. Longer, since without it this process is taken out of
/// service, and not for being busy a moment.
const NEEDED: Duration = Duration::from_secs(2);

/// How long what was seen of the clusters is told again. Anybody may ask whether we are ready, and
/// each look is a connection to each server.
const FRESH: Duration = Duration::from_secs(1);

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
    /// Looks at each part.
    pub async fn parts(&self) -> Vec<Part> {
        let parts = self.look_at_parts().await;
        self.parts_seen().lock().clone_from(&parts);
        parts
    }

    /// How each part was when somebody last looked: whoever asked whether we are ready, or this
    /// process for itself a moment ago.
    pub fn parts_last_seen(&self) -> Vec<Part> {
        self.parts_seen().lock().clone()
    }

    /// Looks at each part, so that there is something to tell.
    pub(crate) async fn watch_parts(&self) -> Result<usize, Refusal> {
        self.parts().await;
        Ok(0)
    }

    /// All at once: each has a limit of its own, and nobody waits for their sum.
    async fn look_at_parts(&self) -> Vec<Part> {
        // On the heap: dialogues with servers are large futures.
        let (control, mail, redis, clusters) = tokio::join!(
            Box::pin(self.control_part()),
            Box::pin(self.mail().check()),
            Box::pin(self.redis_part()),
            Box::pin(self.cluster_parts()),
        );
        let mut parts = vec![control, Part::needed_little("mail", mail)];
        parts.extend(redis);
        parts.extend(clusters);
        parts
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
        let mut seen = self.clusters_seen().0.lock().await;
        if let Some((at, parts)) = &*seen
            && at.elapsed() < FRESH
        {
            return parts.clone();
        }
        // Where the registry can't be read, that is the part that tells.
        let looked = timeout(NEEDED + PATIENCE, self.look_at_clusters()).await;
        let parts = looked.map(Result::unwrap_or_default).unwrap_or_default();
        *seen = Some((Instant::now(), parts.clone()));
        parts
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

/// How the parts were when somebody last looked.
#[derive(Default)]
pub(crate) struct PartsSeen(std::sync::Mutex<Vec<Part>>);

impl PartsSeen {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Part>> {
        // It is set in one go.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was seen of the clusters, and when.
#[derive(Default)]
pub(crate) struct ClustersSeen(Mutex<Option<(Instant, Vec<Part>)>>);

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
