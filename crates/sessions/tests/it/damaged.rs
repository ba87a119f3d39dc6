//! Files that somebody edited, cut off or left behind.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tenantry_core::session::EndReason;
use tenantry_sessions::SessionError;

use crate::support::{Bench, Lies, MINUTE};

fn path(bench: &Bench, handle: &tenantry_core::session::Handle) -> PathBuf {
    let (tenant, generation) = handle.scope.unwrap();
    let folder = bench.folder().join(tenant.to_string());
    folder.join(format!("{generation}/s/{}.json", handle.id))
}

#[tokio::test]
async fn a_damaged_file_is_an_error_and_keeps_nobody_from_the_others() {
    let bench = Bench::open(Lies::Files).await;
    let somebody = bench.person();
    let (tenant, generation) = somebody.scope().unwrap();
    let good = bench.begun(somebody).await.session;
    let damaged = bench.begun(somebody).await.session.handle();
    let file = path(&bench, &damaged);
    let whole = std::fs::read_to_string(&file).unwrap();
    let other = std::fs::read_to_string(path(&bench, &good.handle())).unwrap();
    for content in [
        String::new(),
        whole[..whole.len() / 2].to_owned(),
        whole.replace("browser", "root"),
        whole.replace("token_hash", "token"),
        // A copy under another's name.
        other,
    ] {
        std::fs::write(&file, &content).unwrap();
        let error = bench.store.lookup(&damaged).await.unwrap_err();
        assert!(matches!(error, SessionError::Damaged { .. }), "{error}");
        let told = error.to_string();
        let names = told.contains(&*file.to_string_lossy()) && told.contains("delete it");
        assert!(names, "{told}");
        assert_eq!(bench.listed(&somebody).await, [good.id]);
        let live = bench.store.count_live(tenant, bench.now()).await.unwrap();
        assert_eq!(live, 1);
        let end = bench.store.end(&damaged, EndReason::Logout, bench.now());
        end.await.unwrap_err();
        assert_eq!(
            std::fs::read_to_string(&file).unwrap(),
            content,
            "it is kept to be seen"
        );
    }
    let ended = bench.store.end_tenant(tenant, generation, bench.now());
    assert_eq!(ended.await.unwrap(), 1);
    // It goes with its day, or with its tenant.
    let later = bench.now() + MINUTE * 60 * 48;
    assert_eq!(bench.store.remove_expired(later).await.unwrap(), 2);
    assert_eq!(bench.dump().await, []);
}

#[tokio::test]
async fn what_was_never_added_to_the_end_is_nobodys_and_goes() {
    let bench = Bench::open(Lies::Files).await;
    let stored = bench.begun_on(bench.person(), bench.device()).await;
    let handle = stored.session.handle();
    std::fs::remove_file(path(&bench, &handle)).unwrap();
    assert!(bench.store.lookup(&handle).await.unwrap().is_none());
    assert_eq!(bench.listed(&stored.session.subject).await, []);
    let later = bench.now() + MINUTE * 60 * 48;
    assert_eq!(bench.store.remove_expired(later).await.unwrap(), 0);
    assert_eq!(bench.dump().await, []);
}

/// Everything below a folder, and it.
fn all(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(all(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[tokio::test]
async fn files_are_for_their_user_only_and_lie_under_ids() {
    let bench = Bench::open(Lies::Files).await;
    let mut stored = bench.draft(bench.person());
    stored.session.user_agent = Some("../../outside".to_owned());
    stored.device = Some(bench.device());
    bench.add(stored.clone()).await;
    bench.begun(bench.admin()).await;
    let root = bench.folder();
    let found = all(&root);
    assert!(found.len() > 20, "{found:?}");
    for path in found {
        let mode = path.metadata().unwrap().permissions().mode() & 0o777;
        let expected = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, expected, "{}", path.display());
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let plain = |c: char| c.is_ascii_hexdigit() || "-.jsonplatformlockstmpsed".contains(c);
        assert!(name == "sessions" || name.chars().all(plain), "{name}");
    }
    let text = std::fs::read_to_string(path(&bench, &stored.session.handle())).unwrap();
    assert!(text.contains("../../outside"), "it is only content");
}

#[tokio::test]
async fn what_is_none_of_ours_is_left_alone() {
    let bench = Bench::open(Lies::Files).await;
    let somebody = bench.person();
    let id = bench.begun(somebody).await.session.id;
    let (tenant, _) = somebody.scope().unwrap();
    let root = bench.folder();
    for folder in [
        "lost+found",
        "01",
        &format!("{tenant}/x"),
        &format!("{tenant}/01"),
    ] {
        std::fs::create_dir_all(root.join(folder).join("e/1")).unwrap();
        std::fs::write(root.join(folder).join(format!("e/1/{id}")), "").unwrap();
    }
    let later = bench.now() + MINUTE * 60 * 48;
    assert_eq!(bench.store.remove_expired(later).await.unwrap(), 1);
    assert_eq!(bench.dump().await.len(), 4);
}
