//! `tenantry key`

use std::process::ExitCode;

use serde_json::{Value, json};
use tenantry_service::Service;
use tenantry_service::keys::{DamagedValues, KeyView, SealingRotation, SigningRotation};

use super::tenant::progress::Progress;
use crate::args::{KeyCommand, RotateArgs};
use crate::exit::{Exit, FOUND};
use crate::output::{Output, table};

pub(super) async fn run(
    service: &Service,
    command: KeyCommand,
    out: Output,
) -> Result<ExitCode, Exit> {
    match command {
        KeyCommand::List => {
            list(&service.list_keys().await?, out)?;
            Ok(ExitCode::SUCCESS)
        }
        KeyCommand::Rotate(args) => rotate(service, &args, out).await,
    }
}

async fn rotate(service: &Service, args: &RotateArgs, out: Output) -> Result<ExitCode, Exit> {
    if args.now && !args.means_signing() {
        return Err(Exit::Usage(
            "--now is about the signing key: what is sealed is always sealed anew at once"
                .to_owned(),
        ));
    }
    let signing = match (args.means_signing(), args.now) {
        (false, _) => None,
        (true, false) => Some(service.rotate_signing_key().await?),
        (true, true) => Some(service.replace_signing_key().await?),
    };
    let sealing = if args.means_sealing() {
        let progress = Progress::start("Sealing anew", out);
        let rotated = service.rotate_sealing_key(|done, total| progress.show(done, total));
        let rotated = Box::pin(rotated).await;
        progress.end();
        Some(rotated?)
    } else {
        None
    };
    let body = json!({
        "signing": signing.as_ref().map(signing_body),
        "sealing": sealing.as_ref().map(sealing_body),
    });
    out.show(&body, || {
        let signing = signing.as_ref().map(told_of_signing);
        let sealing = sealing.as_ref().map(told_of_sealing);
        let told: Vec<_> = signing.into_iter().chain(sealing).collect();
        told.join("\n")
    })?;
    let damaged = sealing.is_some_and(|sealing| !sealing.damaged.is_empty());
    Ok(if damaged { FOUND } else { ExitCode::SUCCESS })
}

fn signing_body(rotated: &SigningRotation) -> Value {
    json!({
        "kid": rotated.kid,
        "state": rotated.state,
        "signs_at": rotated.signs_at,
        "made": rotated.made,
        "revoked": rotated.revoked,
    })
}

fn sealing_body(rotated: &SealingRotation) -> Value {
    let damaged = rotated.damaged.iter().map(|values| {
        json!({
            "table": values.table,
            "column": values.column,
            "count": values.count,
            "remedy": values.remedy,
        })
    });
    json!({
        "id": rotated.id.to_string(),
        "made": rotated.made,
        "resealed": rotated.resealed,
        "damaged": count(&rotated.damaged),
        "damaged_values": damaged.collect::<Vec<_>>(),
        "old_gone_at": rotated.gone_at,
        "kept": rotated.kept.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn count(damaged: &[DamagedValues]) -> usize {
    damaged.iter().map(|values| values.count).sum()
}

fn told_of_signing(rotated: &SigningRotation) -> String {
    let SigningRotation { kid, signs_at, .. } = rotated;
    match (rotated.made, rotated.revoked) {
        (true, 0) => format!(
            "Signing key {kid} is published and signs from {signs_at} on; the one before stays until its tokens have run out. A running server sees to it."
        ),
        (true, _) => format!(
            "Signing key {kid} signs from now on. Access tokens of the keys before are refused; refreshing gives new ones."
        ),
        (false, _) => {
            format!("An exchange was under way: signing key {kid} signs from {signs_at} on.")
        }
    }
}

fn told_of_sealing(rotated: &SealingRotation) -> String {
    let SealingRotation { id, resealed, .. } = rotated;
    let made = if rotated.made {
        format!("Sealing key {id} is in use; {resealed} values were sealed anew.")
    } else {
        format!(
            "An exchange that was begun before is finished: {resealed} values were sealed anew with key {id}. Ask once more for a new key."
        )
    };
    let mut lines = vec![made];
    if !rotated.damaged.is_empty() {
        let damaged = count(&rotated.damaged);
        lines.push(format!(
            "{damaged} values do not open and were left as they are; the log names the row of each:"
        ));
    }
    for values in &rotated.damaged {
        let DamagedValues {
            table,
            column,
            count,
            remedy,
        } = values;
        lines.push(format!("  {table}.{column}: {count} - {remedy}"));
    }
    for key in &rotated.kept {
        lines.push(format!(
            "Sealing key {key} stays for as long as values name it (`tenantry key list` says how many)."
        ));
    }
    if let Some(at) = rotated.gone_at {
        lines.push(format!(
            "A running server removes the keys before that no value names after {at}."
        ));
    }
    lines.join("\n")
}

fn list(keys: &[KeyView], out: Output) -> Result<(), Exit> {
    let items: Vec<Value> = keys
        .iter()
        .map(|key| {
            json!({
                "kind": key.kind.as_str(),
                "id": key.id,
                "state": key.state,
                "since": key.since,
                "created_at": key.created_at,
                "until": key.until,
                "values": key.values,
            })
        })
        .collect();
    out.show(&json!({ "items": items }), || {
        table(
            ["Kind", "Key", "State", "Since", "Until"],
            keys.iter().map(|key| {
                [
                    key.kind.as_str().to_owned(),
                    key.id.clone(),
                    key.state.to_owned(),
                    key.since.to_string(),
                    until(key),
                ]
            }),
        )
    })
}

fn until(key: &KeyView) -> String {
    match (key.until, key.values) {
        (Some(at), _) => at.to_string(),
        (None, Some(values)) => format!("no date: {values} values name it"),
        (None, None) => String::new(),
    }
}
