//! `rediss://`: nobody is believed whose certificate no authority of the system signed.
//!
//! The key beside this file guards nothing; its authority's was thrown away.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use tenantry_sessions::{Redis, RedisError};
use tenantry_testkit::services::RedisServer;

/// Tells the second process of the test where Redis is.
const URL: &str = "TENANTRY_TEST_REDIS_TLS";

#[tokio::test]
async fn a_certificate_is_checked_against_the_systems_authorities() {
    if let Some(url) = std::env::var_os(URL) {
        let url = url.to_string_lossy().parse().unwrap();
        return Redis::at(&url).unwrap().check().await.unwrap();
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/redis/tls");
    let server = RedisServer::with_tls(&folder.join("server.pem"), &folder.join("server.key"));
    let server = server.unwrap();
    let url = server.tls_url().unwrap();
    let stranger = Redis::at(&url.parse().unwrap()).unwrap();
    let error = stranger.check().await.unwrap_err();
    assert!(matches!(error, RedisError::Unreachable { .. }), "{error:?}");
    // Which authorities a system has is read from the environment, so it takes another process.
    let test = "redis::tls::a_certificate_is_checked_against_the_systems_authorities";
    let known = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test])
        .env(URL, &url)
        .env("SSL_CERT_FILE", folder.join("authority.pem"))
        .env_remove(OsStr::new("SSL_CERT_DIR"))
        .output()
        .unwrap();
    assert!(known.status.success(), "{known:?}");
    let done = String::from_utf8_lossy(&known.stdout).into_owned();
    assert!(done.contains("1 passed"), "{done}");
}
