//! Databases that a file lists, each adopted by itself: what fails stops no other.

use std::path::Path;
use std::process::ExitCode;

use csv::{ReaderBuilder, StringRecord, Trim};
use serde_json::json;
use tenantry_service::Service;

use super::super::progress::Progress;
use super::super::send_mail;
use super::{Came, Wanted, adopt};
use crate::args::AdoptArgs;
use crate::commands::acts;
use crate::exit::Exit;
use crate::output::{Output, table};

/// The headings that every file has.
const NEEDED: [&str; 4] = ["slug", "name", "database", "owner_email"];

/// The headings that a file may have.
const FURTHER: [&str; 3] = ["cluster", "users", "map"];

/// One line of the file, or why it is none.
struct Line {
    number: u64,
    wanted: Result<Wanted, String>,
}

/// What came of one line.
struct Item {
    line: u64,
    slug: String,
    came: Result<Came, String>,
}

impl Item {
    const fn status(&self) -> &'static str {
        match &self.came {
            Ok(came) => came.word(),
            Err(_) => "failed",
        }
    }

    fn error(&self) -> Option<&str> {
        self.came.as_ref().err().map(String::as_str)
    }
}

pub(super) async fn run(
    service: &Service,
    args: &AdoptArgs,
    path: &Path,
    out: Output,
) -> Result<ExitCode, Exit> {
    let shown = path.display().to_string();
    let text = tokio::fs::read(path)
        .await
        .map_err(|error| Exit::failed(&format!("reading {shown}"), error))?;
    let lines = read(&text, args).map_err(|why| Exit::Usage(format!("{shown}: {why}")))?;
    let progress = Progress::start("Adopting databases", out);
    let mut items = Vec::with_capacity(lines.len());
    let total = lines.len();
    for (done, line) in lines.into_iter().enumerate() {
        progress.show(done, total);
        let (slug, came) = match line.wanted {
            Ok(wanted) => {
                let adopting = Box::pin(async { Ok(adopt(service, &wanted, args.dry_run).await?) });
                let came = if args.dry_run {
                    adopting.await
                } else {
                    let doing = acts::adopting(&wanted.slug, Some(&wanted.database));
                    acts::around(service, doing, adopting).await
                };
                (wanted.slug, came.map_err(Exit::message))
            }
            Err(why) => (String::new(), Err(why)),
        };
        items.push(Item {
            line: line.number,
            slug,
            came,
        });
    }
    progress.end();
    if items
        .iter()
        .any(|item| matches!(item.came, Ok(Came::Adopted(..))))
    {
        send_mail(service, out).await;
    }
    answer(&items, out)
}

/// The lines of a file; why it is none to read at all.
fn read(text: &[u8], args: &AdoptArgs) -> Result<Vec<Line>, String> {
    // Spreadsheets put a byte-order mark in front.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(text);
    let headings = reader.headers().map_err(|error| error.to_string())?.clone();
    for needed in NEEDED {
        if !headings.iter().any(|heading| heading == needed) {
            return Err(format!(
                "the first line has to name the columns {}, and {needed} is not among them",
                NEEDED.join(",")
            ));
        }
    }
    for (place, heading) in headings.iter().enumerate() {
        if !NEEDED.contains(&heading) && !FURTHER.contains(&heading) {
            return Err(format!("there is no column {heading:?}"));
        }
        if headings.iter().take(place).any(|before| before == heading) {
            return Err(format!("the column {heading} is there twice"));
        }
    }
    let mut lines = Vec::new();
    for record in reader.records() {
        lines.push(match record {
            Ok(record) => Line {
                number: record.position().map_or(0, csv::Position::line),
                wanted: Ok(wanted(&headings, &record, args)),
            },
            Err(error) => Line {
                number: error.position().map_or(0, csv::Position::line),
                wanted: Err(error.to_string()),
            },
        });
    }
    Ok(lines)
}

fn wanted(headings: &StringRecord, record: &StringRecord, args: &AdoptArgs) -> Wanted {
    let cell = |heading: &str| {
        let place = headings.iter().position(|each| each == heading)?;
        let cell = record.get(place).filter(|cell| !cell.is_empty())?;
        Some(cell.to_owned())
    };
    Wanted {
        slug: cell("slug").unwrap_or_default(),
        name: cell("name"),
        database: cell("database").unwrap_or_default(),
        owner_email: cell("owner_email").unwrap_or_default(),
        cluster: cell("cluster").or_else(|| args.cluster.clone()),
        users: cell("users").or_else(|| args.users.clone()),
        map: cell("map").or_else(|| args.map.clone()),
    }
}

fn answer(items: &[Item], out: Output) -> Result<ExitCode, Exit> {
    let count = |status: &str| items.iter().filter(|item| item.status() == status).count();
    let failed = count("failed");
    let body = json!({
        "adopted": count("adopted"),
        "unchanged": count("unchanged"),
        "failed": failed,
        "items": items.iter().map(|item| {
            let import = match &item.came {
                Ok(Came::Adopted(_, import)) => import.as_ref(),
                _ => None,
            };
            json!({
                "line": item.line,
                "slug": item.slug,
                "status": item.status(),
                "error": item.error(),
                "import": import,
            })
        }).collect::<Vec<_>>(),
    });
    out.show(&body, || {
        let rows = items.iter().map(|item| {
            let people = match &item.came {
                Ok(Came::Adopted(_, Some(import))) if import.left_out > 0 => {
                    format!("{}, {} left out", import.imported, import.left_out)
                }
                Ok(Came::Adopted(_, Some(import))) => import.imported.to_string(),
                _ => String::new(),
            };
            [
                item.line.to_string(),
                item.slug.clone(),
                item.status().to_owned(),
                people,
                item.error().unwrap_or_default().to_owned(),
            ]
        });
        let table = table(["Line", "Slug", "Status", "People", "Why"], rows);
        format!(
            "{table}\n{} adopted, {} unchanged, {failed} failed.",
            count("adopted"),
            count("unchanged")
        )
    })?;
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> AdoptArgs {
        AdoptArgs {
            database: None,
            slug: None,
            name: None,
            owner_email: None,
            cluster: Some("west".to_owned()),
            users: None,
            map: None,
            from: None,
            dry_run: false,
        }
    }

    #[test]
    fn a_line_that_is_none_leaves_the_others() {
        let text = "\u{feff}slug,name,database,owner_email,cluster\n\
                    uml, Uml ,\"tenant \"\"uml\"\"\",a@example.org,\n\
                    short,Short\n\
                    erd,Erd,tenant_erd,b@example.org,east\n";
        let lines = read(text.as_bytes(), &args()).unwrap();
        let numbers: Vec<u64> = lines.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [2, 3, 4]);
        let uml = lines[0].wanted.as_ref().ok().unwrap();
        assert_eq!(
            (uml.name.as_deref(), uml.database.as_str()),
            (Some("Uml"), "tenant \"uml\"")
        );
        assert_eq!(uml.cluster.as_deref(), Some("west"));
        assert!(lines[1].wanted.is_err());
        let erd = lines[2].wanted.as_ref().ok().unwrap();
        assert_eq!(erd.cluster.as_deref(), Some("east"));
    }

    #[test]
    fn headings_are_known_and_there_once() {
        for (text, why) in [
            ("", "slug is not among"),
            ("slug,name,database\n", "owner_email is not among"),
            ("slug,name,database,owner_email,password\n", "\"password\""),
            ("slug,slug,name,database,owner_email\n", "twice"),
        ] {
            let refused = read(text.as_bytes(), &args()).err().unwrap();
            assert!(refused.contains(why), "{refused}");
        }
    }
}
