//! Three servers, each with a data folder of its own, over one control database, with the tenants on
//! a PostgreSQL too.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tenantry_testkit::cluster::TestCluster;
use tenantry_testkit::process::{Installation, Running};
use tenantry_testkit::proxy::{Fate, Proxy};
use tenantry_testkit::services::{FreshDatabase, RedisServer, fresh_database};

use crate::acts::{self, ADMIN};
use crate::http::{Answer, Ask};
use crate::{PASSWORD, eventually, installation};

/// What seals; the same for all.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The owner of every tenant.
pub(super) const ADA: &str = "ada@example.com";

/// The servers. The last one reaches the control database and Redis through proxies, which know the
/// connections that it hears the others over.
pub(super) const A: usize = 0;
pub(super) const B: usize = 1;
pub(super) const C: usize = 2;

/// In how many ways a person's sessions are shown.
pub(super) const WAYS: usize = 2;

/// What is answered where there is too much to do, or something is away for a moment: nobody is let
/// in, and nobody is told anything.
pub(super) const BUSY: u16 = 503;

/// What carries changes from one to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// The control database alone.
    Notify,
    /// Redis too, in which the sessions lie.
    Redis,
}

pub(super) struct Node {
    pub(super) installation: Installation,
    running: Option<Running>,
}

/// All of it. What is first here ends first.
pub(super) struct Site {
    nodes: [Node; 3],
    /// The platform admin's access token.
    pub(super) root: String,
    database: Proxy,
    redis: Option<Proxy>,
    _redis: Option<RedisServer>,
    _control: FreshDatabase,
    _cluster: TestCluster,
}

/// Somebody with two sessions: one of an API client, one of a browser.
pub(super) struct Person {
    pub(super) slug: String,
    pub(super) email: String,
    pub(super) id: String,
    pub(super) bearer: String,
    pub(super) cookie: String,
}

fn text(value: &Value) -> Result<String> {
    let text = value.as_str().context("no text")?;
    Ok(text.to_owned())
}

impl Node {
    pub(super) fn running(&self) -> Result<&Running> {
        self.running.as_ref().context("it does not run")
    }

    pub(super) fn address(&self) -> Result<SocketAddr> {
        self.running()?.address()
    }
}

impl Site {
    pub(super) async fn start(over: Over) -> Result<Self> {
        let cluster = TestCluster::start().await?;
        let control = fresh_database().await?;
        let server = match over {
            Over::Notify => None,
            Over::Redis => Some(RedisServer::start()?),
        };
        let database = Proxy::before(control.url()).await?;
        database.single_out("LISTEN");
        let redis = match &server {
            Some(server) => Some(Proxy::before(&server.url()).await?),
            None => None,
        };
        let mut nodes = Vec::new();
        for node in [A, B, C] {
            let mut installation = installation()?;
            let through = node == C;
            installation
                .set("TENANTRY_MASTER_KEY", KEY)
                .set("TENANTRY_RATE_LIMITS", "off")
                .set("TENANTRY_CLUSTER_URL", cluster.url())
                .set(
                    "TENANTRY_CONTROL_URL",
                    if through {
                        database.url()
                    } else {
                        control.url()
                    },
                );
            if let (Some(server), Some(proxy)) = (&server, &redis) {
                proxy.single_out("SUBSCRIBE");
                let direct = server.url();
                installation.set("TENANTRY_SESSIONS", "redis").set(
                    "TENANTRY_REDIS_URL",
                    if through { proxy.url() } else { &direct },
                );
            }
            nodes.push(Node {
                installation,
                running: None,
            });
        }
        let nodes = <[Node; 3]>::try_from(nodes).map_err(|_| anyhow::anyhow!("not three"))?;
        acts::make_admin(&nodes[A].installation)?;
        let mut site = Self {
            nodes,
            root: String::new(),
            database,
            redis,
            _redis: server,
            _control: control,
            _cluster: cluster,
        };
        for node in &mut site.nodes {
            node.running = Some(node.installation.start(["serve"])?);
        }
        site.root = text(&site.sign_in(A, None, ADMIN)?["access_token"])?;
        for node in [A, B, C] {
            eventually("every node hears the others", || {
                Ok(site.hears(node)?.then_some(()))
            })?;
        }
        Ok(site)
    }

    pub(super) fn node(&self, node: usize) -> &Node {
        &self.nodes[node]
    }

    pub(super) fn address(&self, node: usize) -> Result<SocketAddr> {
        self.nodes[node].address()
    }

    /// Ends a server as a power cut would.
    pub(super) fn kill(&mut self, node: usize) -> Result<()> {
        let running = self.nodes[node].running.take();
        running.context("it does not run")?.kill().map(drop)
    }

    /// Starts it again.
    pub(super) fn restart(&mut self, node: usize) -> Result<()> {
        let node = &mut self.nodes[node];
        node.running = Some(node.installation.serve()?);
        Ok(())
    }

    /// Decides what becomes of the channels of the last node, while all its other connections go on:
    /// of the one over the control database, and of the one over Redis.
    pub(super) fn set_channels(&self, database: Fate, redis: Fate) {
        self.database.set_fate(database);
        if let Some(proxy) = &self.redis {
            proxy.set_fate(redis);
        }
    }

    /// A number that a node tells Prometheus; none where it tells no such number.
    fn number(&self, node: usize, name: &str) -> Result<Option<u64>> {
        let told = Ask::get("/metrics").send(self.address(node)?)?;
        let mut lines = told.body.lines();
        let number = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(number.map(str::parse).transpose()?)
    }

    /// Whether a node hears the others on every channel.
    pub(super) fn hears(&self, node: usize) -> Result<bool> {
        let mut all = vec!["database"];
        all.extend(self.redis.as_ref().map(|_| "redis"));
        for channel in all {
            if !self.hears_over(node, channel)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether it hears them on this one.
    pub(super) fn hears_over(&self, node: usize, channel: &str) -> Result<bool> {
        let name = format!("tenantry_other_nodes_heard{{channel=\"{channel}\"}}");
        Ok(self.number(node, &name)? == Some(1))
    }

    /// How many changes it has heard of.
    pub(super) fn heard(&self, node: usize) -> Result<u64> {
        let number = self.number(node, "tenantry_changes_total{origin=\"elsewhere\"}")?;
        number.context("no count of changes")
    }

    /// How often memory has answered it.
    pub(super) fn hits(&self, node: usize) -> Result<u64> {
        let number = self.number(node, "tenantry_facts_lookups_total{outcome=\"hit\"}")?;
        number.context("no count of lookups")
    }

    /// Sends something to a node, again where that is busy, as it is on a machine that has much else
    /// to do.
    pub(super) fn ask(&self, node: usize, ask: &Ask) -> Result<Answer> {
        eventually("the node is less busy", || {
            let answer = ask.send(self.address(node)?)?;
            Ok((answer.status != BUSY).then_some(answer))
        })
    }

    /// Sends something to a node that must do it.
    pub(super) fn done(&self, node: usize, ask: &Ask) -> Result<Answer> {
        let answer = self.ask(node, ask)?;
        ensure!((200..300).contains(&answer.status), "{ask:?}: {answer:?}");
        Ok(answer)
    }

    /// Signs somebody in by the API; what is told then.
    pub(super) fn sign_in(&self, node: usize, slug: Option<&str>, email: &str) -> Result<Value> {
        let body = json!({ "email": email, "password": PASSWORD });
        let ask = Ask::post("/api/v1/auth/login").json(&body);
        let ask = slug.map_or(ask.clone(), |slug| ask.at(slug));
        Ok(self.done(node, &ask)?.json())
    }

    /// Makes tenants with the same owner, who is signed in to each.
    pub(super) fn make_tenants<const N: usize>(&self, slugs: [&str; N]) -> Result<[Person; N]> {
        let owners = std::thread::scope(|scope| {
            let making = slugs.map(|slug| {
                scope.spawn(move || {
                    let owner = json!({ "email": ADA, "password": PASSWORD });
                    let body = json!({ "name": slug, "slug": slug, "owner": owner });
                    let ask = Ask::post("/api/v1/tenants").bearer(&self.root).json(&body);
                    self.done(A, &ask)?;
                    self.arrive(slug, ADA)
                })
            });
            making.map(|made| {
                made.join()
                    .unwrap_or_else(|_| anyhow::bail!("it broke off"))
            })
        });
        let owners = owners.into_iter().collect::<Result<Vec<_>>>()?;
        owners.try_into().map_err(|_| anyhow::anyhow!("too few"))
    }

    /// Adds members to a tenant, each signed in.
    pub(super) fn add_members<const N: usize>(
        &self,
        owner: &Person,
        names: [&str; N],
    ) -> Result<[Person; N]> {
        let members = std::thread::scope(|scope| {
            let adding = names.map(|name| {
                scope.spawn(move || {
                    let email = format!("{name}@example.com");
                    let body = json!({
                        "email": email, "role": "member", "password": PASSWORD,
                        "must_change_password": false,
                    });
                    let ask = Ask::post("/api/v1/users").bearer(&owner.bearer).json(&body);
                    self.done(A, &ask)?;
                    self.arrive(&owner.slug, &email)
                })
            });
            adding.map(|added| {
                added
                    .join()
                    .unwrap_or_else(|_| anyhow::bail!("it broke off"))
            })
        });
        let members = members.into_iter().collect::<Result<Vec<_>>>()?;
        members.try_into().map_err(|_| anyhow::anyhow!("too few"))
    }

    /// Signs somebody in, by the API and with a browser.
    fn arrive(&self, slug: &str, email: &str) -> Result<Person> {
        let api = self.sign_in(A, Some(slug), email)?;
        let page = self.done(A, &Ask::get("/login").at(slug))?;
        let form = Ask::post("/login")
            .at(slug)
            .header("Cookie", &page.cookies())
            .form(&[
                ("csrf_token", acts::csrf_token(&page)?),
                ("email", email),
                ("password", PASSWORD),
            ]);
        let browser = self.ask(A, &form)?;
        ensure!(browser.status == 303, "{email} can't sign in: {browser:?}");
        Ok(Person {
            slug: slug.to_owned(),
            email: email.to_owned(),
            id: text(&api["user"]["id"])?,
            bearer: text(&api["access_token"])?,
            cookie: browser.cookies(),
        })
    }
}

impl Person {
    /// Every way in which a session is shown: at the tenant's host and without a word about it.
    pub(super) fn asks(&self) -> [Ask; WAYS] {
        [
            Ask::get("/auth/verify")
                .at(&self.slug)
                .header("Cookie", &self.cookie),
            Ask::get("/api/v1/auth/me").bearer(&self.bearer),
        ]
    }

    /// A change of the person by somebody who runs the tenant's people.
    pub(super) fn changed(&self, by: &Self, change: &Value) -> Ask {
        Ask::patch(&format!("/api/v1/users/{}", self.id))
            .bearer(&by.bearer)
            .json(change)
    }

    /// The person is kept out.
    pub(super) fn disabled(&self, by: &Self) -> Ask {
        self.changed(by, &json!({ "disabled": true }))
    }
}
