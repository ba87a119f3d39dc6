//! What is told of an import that ends early.

use axum::body::{Body, Bytes};
use futures_util::StreamExt as _;
use tenantry_testkit::service::{Options, PASSWORD, TestService};

use super::*;

#[tokio::test]
async fn whoever_stops_sending_is_told_what_was_brought_along() {
    let test = TestService::start(Options::sqlite()).await.unwrap();
    let made = test.make_tenant("acme", "ada@example.org", PASSWORD).await;
    let ctx = test
        .service
        .enter_as_operator(made.unwrap().tenant.id)
        .await;
    let mut import = test.service.import_as_operator(&ctx.unwrap(), false);
    let hash = "$2y$10$.vGA1O9wmRjrwAVXD98HNOgsNpDczlqm3Jq7KnEd1rVAGv3Fykk1a";
    let line =
        |name: &str| format!("{{\"email\":\"{name}@example.org\",\"password_hash\":\"{hash}\"}}\n");
    let text = line("one") + &line("ada") + line("two").trim_end();
    let sent = futures_util::stream::iter([Ok::<_, std::io::Error>(Bytes::from(text))]);
    let body = Body::from_stream(sent.chain(futures_util::stream::pending()));
    let patience = Patience {
        piece: Duration::from_millis(50),
        total: Duration::from_secs(5),
    };
    read_into(&mut import, Incoming::new(body, patience))
        .await
        .unwrap();
    let imported = import.finish().await.unwrap();
    assert_eq!((imported.imported, imported.skipped), (1, 1));
    let errors = imported.errors.iter().map(|error| (error.line, error.code));
    assert_eq!(errors.collect::<Vec<_>>(), [(3, "too_slow")]);
}
