//! Notices over real sockets: what is sent, what an answer means, and where nothing is sent.

mod bounds;
mod inside;
mod secured;

use std::time::Duration;

use tenantry_testkit::receiver::{Receiver, Reply};
use tenantry_webhooks::{Deliverer, Notice, PostError, Rules};
use url::Url;

/// Receivers of tests are on this machine.
const HERE: Rules = Rules {
    allow_http: false,
    allow_private: true,
};

const NOTICE: Notice<'static> = Notice {
    id: "0192f0c1-0000-7000-8000-000000000001",
    seconds: 1_795_185_000,
    signature: "v1,c2lnbmF0dXJl",
    body: br#"{"type":"ping"}"#,
};

async fn post(receiver: &Receiver, path: &str) -> Result<u16, PostError> {
    let url: Url = receiver.url(path).parse().unwrap();
    Deliverer::new(HERE).post(&url, NOTICE).await
}

#[tokio::test]
async fn a_notice_comes_as_the_specification_says() {
    let receiver = Receiver::start().await.unwrap();
    assert_eq!(post(&receiver, "/in?key=1%202").await.unwrap(), 204);
    let seen = receiver.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].line, "POST /in?key=1%202 HTTP/1.1");
    for (name, value) in [
        ("host", format!("127.0.0.1:{}", receiver.port())),
        ("content-type", "application/json".to_owned()),
        ("content-length", "15".to_owned()),
        ("webhook-id", NOTICE.id.to_owned()),
        ("webhook-timestamp", "1795185000".to_owned()),
        ("webhook-signature", NOTICE.signature.to_owned()),
    ] {
        assert_eq!(seen[0].header(name), value, "{name}");
    }
    assert_eq!(seen[0].body, NOTICE.body);
}

#[tokio::test]
async fn what_an_answer_means() {
    let receiver = Receiver::start().await.unwrap();
    for (status, arrived, last) in [
        (200, true, false),
        (204, true, false),
        (299, true, false),
        (400, false, false),
        (404, false, false),
        (410, false, true),
        (500, false, false),
        (503, false, false),
    ] {
        receiver.answer(Reply::Status(status));
        match post(&receiver, "/").await {
            Ok(taken) => assert!(arrived && taken == status, "{status}"),
            Err(error) => {
                assert!(!arrived, "{status}: {error}");
                assert_eq!((error.status(), error.is_final()), (Some(status), last));
                assert_eq!(error.to_string(), format!("the receiver answered {status}"));
            }
        }
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (receiver, other) = (
        Receiver::start().await.unwrap(),
        Receiver::start().await.unwrap(),
    );
    receiver.answer(Reply::Redirect(other.url("/")));
    let error = post(&receiver, "/").await.unwrap_err();
    assert!(matches!(error, PostError::Redirect(307)), "{error:?}");
    assert_eq!((receiver.seen().len(), other.seen().len()), (1, 0));
}

#[tokio::test]
async fn who_says_nothing_is_not_waited_for() {
    let receiver = Receiver::start().await.unwrap();
    receiver.answer(Reply::Silence);
    let url: Url = receiver.url("/?key=secret").parse().unwrap();
    let hasty = Deliverer::new(HERE).with_patience(Duration::from_millis(100));
    let error = hasty.post(&url, NOTICE).await.unwrap_err();
    assert!(matches!(error, PostError::Late(_)), "{error:?}");
    assert_eq!(receiver.seen().len(), 1);
    assert!(!format!("{error} {error:?}").contains("secret"));
}
