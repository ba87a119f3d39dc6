//! What the owner of a domain published in the DNS.
//!
//! Owns which server is asked, how long for, and what an answer means. It keeps nothing: each
//! question goes out anew, since an answer that is a minute old says nothing about who has a domain
//! now. It asks for text records only. Called by `service`, which knows what they are to say.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RData;

/// How long one try of one server may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often a server is asked again before it counts as silent.
const AGAIN: usize = 1;

/// Where questions go. Cheap to clone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resolver {
    server: Option<SocketAddr>,
}

/// Why nobody knows what is published: no server answered, or one said that it can't.
#[derive(Debug, thiserror::Error)]
#[error("the DNS did not answer")]
pub struct Unanswered(#[source] Box<NetError>);

impl Resolver {
    /// Asks the servers that this machine asks, as its `/etc/resolv.conf` says at the time.
    pub const fn of_the_system() -> Self {
        Self { server: None }
    }

    /// Asks this server alone.
    pub const fn at(server: SocketAddr) -> Self {
        Self {
            server: Some(server),
        }
    }

    fn open(self) -> Result<TokioResolver, NetError> {
        let mut builder = match self.server {
            None => TokioResolver::builder_tokio()?,
            Some(server) => {
                let connections =
                    [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut to| {
                        to.port = server.port();
                        to
                    });
                let server = NameServerConfig::new(server.ip(), true, connections.into());
                TokioResolver::builder_with_config(
                    ResolverConfig::from_name_servers(vec![server]),
                    TokioRuntimeProvider::default(),
                )
            }
        };
        let options: &mut ResolverOpts = builder.options_mut();
        options.cache_size = 0;
        options.use_hosts_file = ResolveHosts::Never;
        options.timeout = PATIENCE;
        options.attempts = AGAIN;
        builder.build()
    }

    /// The text records of a name, which is taken as it is, without the machine's search list. Those
    /// that are no UTF-8 are left out; none where there are none or the name is not there.
    ///
    /// # Errors
    /// Nobody answered, or a server answered that it can't.
    pub async fn texts(self, name: &str) -> Result<Vec<String>, Unanswered> {
        let Asked::Texts(texts) = self.ask(name).await? else {
            return Ok(Vec::new());
        };
        Ok(texts)
    }

    /// Whether there is such a name at all, whatever its records.
    ///
    /// # Errors
    /// Nobody answered, or a server answered that it can't.
    pub async fn is_there(self, name: &str) -> Result<bool, Unanswered> {
        Ok(matches!(self.ask(name).await?, Asked::Texts(_)))
    }

    async fn ask(self, name: &str) -> Result<Asked, Unanswered> {
        let name = format!("{}.", name.trim_end_matches('.'));
        let looked = match self.open() {
            Ok(resolver) => resolver.txt_lookup(name).await,
            Err(error) => Err(error),
        };
        let answer = match looked {
            Ok(answer) => answer,
            Err(NetError::Dns(DnsError::NoRecordsFound(nothing))) => {
                return match nothing.response_code {
                    ResponseCode::NoError => Ok(Asked::Texts(Vec::new())),
                    ResponseCode::NXDomain => Ok(Asked::NoSuchName),
                    _ => {
                        let error = NetError::Dns(DnsError::NoRecordsFound(nothing));
                        Err(Unanswered(Box::new(error)))
                    }
                };
            }
            Err(error) => return Err(Unanswered(Box::new(error))),
        };
        let texts = answer.answers().iter().filter_map(|record| {
            let RData::TXT(text) = &record.data else {
                return None;
            };
            // One record is one text, however it was cut into pieces of 255 octets (RFC 1035, 3.3).
            String::from_utf8(text.txt_data.concat()).ok()
        });
        Ok(Asked::Texts(texts.collect()))
    }
}

/// What a name server said.
enum Asked {
    /// The name has these text records, or others, or none.
    Texts(Vec<String>),
    /// There is no such name (`NXDOMAIN`).
    NoSuchName,
}
