//! An authoritative name server on this machine: it knows the text records that a test publishes, and
//! of no other name.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use hickory_proto::op::{Message, Metadata, ResponseCode};
use hickory_proto::rr::rdata::TXT;
use hickory_proto::rr::{RData, Record, RecordType};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

/// How long an answer may be kept, in seconds: longer than any test takes, so that one that is kept
/// is noticed.
const TTL: u32 = 86_400;

#[derive(Default)]
struct Zone {
    texts: BTreeMap<String, Vec<String>>,
    failing: bool,
    asked: usize,
}

/// A name server that speaks DNS over UDP. Dropped, it ends.
pub struct NameServer {
    address: SocketAddr,
    zone: Arc<Mutex<Zone>>,
    _serving: JoinSet<()>,
}

fn key(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

impl NameServer {
    /// One that knows nothing yet.
    pub async fn start() -> Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        let address = socket.local_addr()?;
        let zone = Arc::new(Mutex::new(Zone::default()));
        let mut serving = JoinSet::new();
        serving.spawn(serve(socket, Arc::clone(&zone)));
        Ok(Self {
            address,
            zone,
            _serving: serving,
        })
    }

    /// Where it is asked.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    fn zone(&self) -> std::sync::MutexGuard<'_, Zone> {
        self.zone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on a name has these text records and no others.
    pub fn publish(&self, name: &str, texts: &[&str]) {
        let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
        if texts.is_empty() {
            self.zone().texts.remove(&key(name));
        } else {
            self.zone().texts.insert(key(name), texts);
        }
    }

    /// From now on it answers that it failed (`SERVFAIL`), or answers again.
    pub fn fail(&self, failing: bool) {
        self.zone().failing = failing;
    }

    /// How many questions came so far.
    pub fn asked(&self) -> usize {
        self.zone().asked
    }
}

async fn serve(socket: UdpSocket, zone: Arc<Mutex<Zone>>) {
    let mut question = [0; 4096];
    while let Ok((length, from)) = socket.recv_from(&mut question).await {
        // What is no question gets no answer.
        let Ok(question) = Message::from_vec(&question[..length]) else {
            continue;
        };
        let answer = {
            let mut zone = zone.lock().unwrap_or_else(PoisonError::into_inner);
            zone.asked += 1;
            answer(&zone, &question)
        };
        if let Ok(octets) = answer.to_vec() {
            // A client that went away is no matter of the server's.
            let _ = socket.send_to(&octets, from).await;
        }
    }
}

fn answer(zone: &Zone, question: &Message) -> Message {
    let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
    answer.metadata = Metadata::response_from_request(&question.metadata);
    answer.metadata.authoritative = true;
    if let Some(edns) = &question.edns {
        answer.set_edns(edns.clone());
    }
    for query in &question.queries {
        answer.add_query(query.clone());
        if zone.failing {
            answer.metadata.response_code = ResponseCode::ServFail;
            continue;
        }
        let Some(texts) = zone.texts.get(&key(&query.name().to_ascii())) else {
            answer.metadata.response_code = ResponseCode::NXDomain;
            continue;
        };
        if query.query_type() != RecordType::TXT {
            continue;
        }
        for text in texts {
            let pieces = text.as_bytes().chunks(255).collect();
            let data = RData::TXT(TXT::from_bytes(pieces));
            answer.add_answer(Record::from_rdata(query.name().clone(), TTL, data));
        }
    }
    answer
}
