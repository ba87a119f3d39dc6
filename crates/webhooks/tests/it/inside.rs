//! Nothing is sent to what lies inside, by whatever name.

use tenantry_testkit::receiver::Receiver;
use tenantry_webhooks::{Deliverer, PostError, Rules, Unsuitable};
use url::Url;

use super::{HERE, NOTICE};

#[tokio::test]
async fn what_is_inside_is_not_written_to() {
    let receiver = Receiver::start().await.unwrap();
    let strict = Deliverer::new(Rules {
        allow_http: true,
        allow_private: false,
    });
    let port = receiver.port();
    for host in [
        "127.0.0.1",
        "localhost",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "0x7f.1",
    ] {
        let url: Url = format!("http://{host}:{port}/").parse().unwrap();
        let error = strict.post(&url, NOTICE).await.unwrap_err();
        assert!(
            matches!(error, PostError::Unsuitable(Unsuitable::Private)),
            "{host}: {error:?}"
        );
    }
    assert!(receiver.seen().is_empty());
    // The same receiver is reached where that is allowed.
    let url: Url = format!("http://localhost:{port}/").parse().unwrap();
    assert_eq!(Deliverer::new(HERE).post(&url, NOTICE).await.unwrap(), 204);
}

/// The machine's own name says nothing about where it leads; what it leads to does.
#[tokio::test]
async fn a_name_that_leads_inside_is_found_out() {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let name = name.trim();
    let leads: Vec<_> = match tokio::net::lookup_host((name, 443)).await {
        Ok(found) => found.map(|address| address.ip()).collect(),
        Err(_) => Vec::new(),
    };
    let url: Url = format!("https://{name}/").parse().unwrap();
    let error = Deliverer::new(Rules::default())
        .post(&url, NOTICE)
        .await
        .unwrap_err();
    let expected = if leads.is_empty() {
        matches!(error, PostError::Resolve(_))
    } else if leads.iter().all(|ip| tenantry_webhooks::is_public(*ip)) {
        // A machine with an address of the open internet is one of it.
        true
    } else {
        matches!(error, PostError::Private(ip) if leads.contains(&ip))
    };
    assert!(expected, "{name} leads to {leads:?}: {error:?}");
}

#[tokio::test]
async fn who_is_not_there_is_told_as_such() {
    let here = Deliverer::new(HERE);
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let url: Url = format!("http://127.0.0.1:{port}/").parse().unwrap();
    let error = here.post(&url, NOTICE).await.unwrap_err();
    assert!(matches!(error, PostError::Connect(_)), "{error:?}");
    let url: Url = "https://nobody.invalid/".parse().unwrap();
    let error = here.post(&url, NOTICE).await.unwrap_err();
    assert!(matches!(error, PostError::Resolve(_)), "{error:?}");
}
