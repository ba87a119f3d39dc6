//! Nothing tells a stranger whether somebody has an account: signing in, asking for a link or a code,
//! and showing one are answered alike for known and unknown people, in status, headers, body and time.
//! Asked over HTTP of the program itself, which hashes as it always does.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::acts::make_tenant;
use crate::http::{Answer, Ask, connect, read_answer};
use crate::installation;

const ADA: &str = "ada@example.com";

/// The chance that a known person's time is above an unknown one's (the area under the ROC curve,
/// from the ranks of all times: Mann and Whitney 1947). One half tells nothing.
fn auc(known: &[f64], unknown: &[f64]) -> f64 {
    let mut above = 0.0;
    for one in known {
        for other in unknown {
            above += if one > other {
                1.0
            } else if one < other {
                0.0
            } else {
                0.5
            };
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "hundreds, not 2^52")]
    let pairs = (known.len() * unknown.len()) as f64;
    above / pairs
}

/// All that an answer tells, but for what is another with each request.
fn told(answer: &Answer) -> String {
    let mut body = answer.json();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("request_id");
    }
    let headers = answer.headers();
    let headers: Vec<_> = headers
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "date" | "x-request-id"))
        .collect();
    format!("{} {headers:?} {body}", answer.status)
}

/// One kind of request.
struct Kind {
    name: &'static str,
    path: &'static str,
    /// Whether the request names the tenant by its host.
    named: bool,
    body: fn(&str) -> Value,
    pairs: usize,
}

const KINDS: [Kind; 4] = [
    Kind {
        name: "signing in",
        path: "/api/v1/auth/login",
        named: true,
        body: |email| json!({ "email": email, "password": "not the right password" }),
        pairs: 200,
    },
    Kind {
        name: "asking for a link",
        path: "/api/v1/auth/password-reset/request",
        named: false,
        body: |email| json!({ "email": email }),
        pairs: 250,
    },
    Kind {
        name: "asking for a code",
        path: "/api/v1/auth/password-reset/request-otp",
        named: true,
        body: |email| json!({ "email": email }),
        pairs: 250,
    },
    Kind {
        name: "showing a code",
        path: "/api/v1/auth/password-reset/verify-otp",
        named: false,
        body: |email| json!({ "email": email, "otp": "480216" }),
        pairs: 150,
    },
];

/// Asks for known and unknown people in turn, the first of each pair changing, so that whatever else
/// the machine does meets both alike; how well their times tell them apart.
fn compare(server: SocketAddr, kind: &Kind) -> Result<f64> {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    let mut answers = BTreeSet::new();
    for at in 0..kind.pairs {
        for is_known in [at % 2 == 0, at % 2 == 1] {
            // As long as the other, so that the body is.
            let nobody = format!("a{:02}@example.com", at % 100);
            let email = if is_known { ADA } else { &nobody };
            let ask = Ask::post(kind.path).json(&(kind.body)(email));
            let ask = if kind.named { ask.at("acme") } else { ask };
            let (bytes, mut stream) = (ask.bytes(), connect(server)?);
            let begun = Instant::now();
            stream.write_all(&bytes)?;
            let answer = read_answer(&mut stream)?;
            let took = begun.elapsed().as_secs_f64();
            if is_known { &mut known } else { &mut unknown }.push(took);
            answers.insert(told(&answer));
        }
    }
    ensure!(answers.len() == 1, "{}: {answers:#?}", kind.name);
    Ok(auc(&known, &unknown))
}

#[test]
fn nobody_learns_who_has_an_account() -> Result<()> {
    let mut installation = installation()?;
    installation.set("TENANTRY_RATE_LIMITS", "off");
    make_tenant(&installation, "acme", ADA)?;
    let server = installation.serve()?;
    let address = server.address()?;
    for kind in &KINDS {
        // Looked at again where chance alone may have told them apart, as it does in one of twelve
        // looks at two hundred pairs: what is really unlike shows each time.
        let mut seen = Vec::new();
        let alike = loop {
            let auc = compare(address, kind)?;
            seen.push(auc);
            let alike = (0.45..=0.55).contains(&auc);
            if alike || seen.len() == 3 {
                break alike;
            }
        };
        ensure!(alike, "{}: AUC {seen:.3?}", kind.name);
    }
    Ok(())
}
