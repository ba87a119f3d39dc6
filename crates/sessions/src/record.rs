//! A session as names and texts, which is how it lies in Redis and in files.

use std::time::Duration;

use tenantry_core::session::{Handle, Session, Span, Subject};
use tenantry_core::user::SecurityVersion;
use tenantry_core::{AdminId, DeviceId, Timestamp, UserId};
use tenantry_store::control::StoredSession;
use uuid::Uuid;

/// The names that conditional changes look at and write.
const TOKEN_HASH: &str = "token_hash";
const SECURITY_VERSION: &str = "security_version";
const LAST_SEEN_AT: &str = "last_seen_at";
const EXPIRES_AT: &str = "expires_at";
const ENDED_AT: &str = "ended_at";
const END_REASON: &str = "end_reason";
pub(crate) const PERSON: &str = "person";
pub(crate) const DEVICE: &str = "device";
const PIN_DIGEST: &str = "pin_digest";

/// Every name that has a value. What a session does not have has none.
pub(crate) fn encode(stored: &StoredSession) -> Vec<(&'static str, String)> {
    let session = &stored.session;
    // As the table has it, so that a session is the same wherever it lies.
    let idle = i64::try_from(session.idle.as_micros()).unwrap_or(i64::MAX);
    let mut fields = vec![
        ("id", session.id.to_string()),
        (PERSON, session.subject.person().to_string()),
        (TOKEN_HASH, hex(&stored.token_hash)),
        ("kind", session.kind.to_string()),
        (SECURITY_VERSION, session.security_version.0.to_string()),
        ("created_at", session.created_at.micros().to_string()),
        (LAST_SEEN_AT, session.last_seen_at.micros().to_string()),
        (EXPIRES_AT, session.expires_at.micros().to_string()),
        ("idle", idle.to_string()),
    ];
    if let Some((tenant, generation)) = session.subject.scope() {
        fields.push(("tenant", tenant.to_string()));
        fields.push(("generation", generation.number().to_string()));
    }
    let maybe = [
        (ENDED_AT, session.ended_at.map(|at| at.micros().to_string())),
        (END_REASON, stored.end_reason.map(|why| why.to_string())),
        ("user_agent", session.user_agent.clone()),
        (DEVICE, stored.device.map(|device| device.to_string())),
        (PIN_DIGEST, stored.pin_digest.as_ref().map(hex)),
    ];
    for (name, value) in maybe {
        fields.extend(value.map(|value| (name, value)));
    }
    fields
}

/// The session that was found where `handle` led.
///
/// # Errors
/// The name whose value is missing, none of ours, or another session's.
pub(crate) fn decode<'a>(
    handle: &Handle,
    value: impl Fn(&str) -> Option<&'a str>,
) -> Result<StoredSession, &'static str> {
    let need = |name: &'static str| value(name).ok_or(name);
    let number = |name: &'static str| parsed::<i64>(need(name)?, name);
    let id = |name: &'static str| {
        value(name)
            .map(|text| parsed::<Uuid>(text, name))
            .transpose()
    };
    if id("id")? != Some(handle.id.uuid()) {
        return Err("id");
    }
    if id("tenant")? != handle.scope.map(|(tenant, _)| tenant.uuid()) {
        return Err("tenant");
    }
    let person = id(PERSON)?.ok_or(PERSON)?;
    let subject = match handle.scope {
        Some((tenant, generation)) => {
            if number("generation")? != generation.number() {
                return Err("generation");
            }
            Subject::User {
                tenant,
                generation,
                user: UserId::from_uuid(person),
            }
        }
        None => Subject::Admin(AdminId::from_uuid(person)),
    };
    let ended_at = value(ENDED_AT)
        .map(|text| parsed(text, ENDED_AT))
        .transpose()?;
    let end_reason = value(END_REASON)
        .map(|text| parsed(text, END_REASON))
        .transpose()?;
    if ended_at.is_some() != end_reason.is_some() {
        return Err(END_REASON);
    }
    let pin_digest = value(PIN_DIGEST)
        .map(|text| unhex(text).ok_or(PIN_DIGEST))
        .transpose()?;
    let session = Session {
        id: handle.id,
        subject,
        security_version: SecurityVersion(number(SECURITY_VERSION)?),
        kind: parsed(need("kind")?, "kind")?,
        created_at: Timestamp::from_micros(number("created_at")?),
        last_seen_at: Timestamp::from_micros(number(LAST_SEEN_AT)?),
        expires_at: Timestamp::from_micros(number(EXPIRES_AT)?),
        idle: Duration::from_micros(u64::try_from(number("idle")?).map_err(|_| "idle")?),
        ended_at: ended_at.map(Timestamp::from_micros),
        user_agent: value("user_agent").map(str::to_owned),
    };
    Ok(StoredSession {
        session,
        token_hash: unhex(need(TOKEN_HASH)?).ok_or(TOKEN_HASH)?,
        device: id(DEVICE)?.map(DeviceId::from_uuid),
        pin_digest,
        end_reason,
    })
}

/// The fields of a session's span, each if it is there: when it began, was used, runs out, and how long
/// it may lie unused.
pub(crate) type SpanFields = [Option<Vec<u8>>; 4];

/// The span that these say; none where one of them is missing or no number.
pub(crate) fn span([created_at, last_seen_at, expires_at, idle]: &SpanFields) -> Option<Span> {
    let number = |octets: &Option<Vec<u8>>| -> Option<i64> {
        let text = std::str::from_utf8(octets.as_deref()?).ok()?;
        text.parse().ok()
    };
    let time = |octets| number(octets).map(Timestamp::from_micros);
    Some(Span {
        created_at: time(created_at)?,
        last_seen_at: time(last_seen_at)?,
        expires_at: time(expires_at)?,
        idle: Duration::from_micros(u64::try_from(number(idle)?).ok()?),
    })
}

fn parsed<T: std::str::FromStr>(text: &str, name: &'static str) -> Result<T, &'static str> {
    text.parse().map_err(|_| name)
}

/// Octets as hexadecimal digits.
pub(crate) fn hex(octets: &[u8; 32]) -> String {
    octets
        .iter()
        .flat_map(|octet| [octet >> 4, octet & 15])
        .map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('0'))
        .collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text
        .chars()
        .map(|digit| u8::try_from(digit.to_digit(16)?).ok())
        .collect::<Option<_>>()?;
    let octets: Vec<u8> = digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect();
    if digits.len() == 64 {
        octets.try_into().ok()
    } else {
        None
    }
}
