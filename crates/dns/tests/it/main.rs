//! Questions over real sockets: what an answer means, and that each is asked anew.

use tenantry_dns::Resolver;
use tenantry_testkit::dns::NameServer;

#[tokio::test]
async fn text_records_are_read_whole_and_anew_each_time() {
    let server = NameServer::start().await.unwrap();
    let resolver = Resolver::at(server.address());
    let name = "_proof.shop.example";
    assert_eq!(resolver.texts(name).await.unwrap(), Vec::<String>::new());
    let long = "x".repeat(600);
    server.publish(name, &["one", &long]);
    let mut texts = resolver.texts(name).await.unwrap();
    texts.sort();
    assert_eq!(texts, ["one", &long]);
    // Whatever time to live an answer had, the next question goes out again.
    server.publish(name, &["two"]);
    assert_eq!(
        resolver.texts("_PROOF.shop.example.").await.unwrap(),
        ["two"]
    );
    server.publish(name, &[]);
    assert!(resolver.texts(name).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_server_that_fails_is_told_from_one_that_knows_of_nothing() {
    let server = NameServer::start().await.unwrap();
    let resolver = Resolver::at(server.address());
    assert!(resolver.texts("nobody.example").await.unwrap().is_empty());
    assert!(!resolver.is_there("nobody.example").await.unwrap());
    server.publish("shop.example", &["something"]);
    assert!(resolver.is_there("shop.example").await.unwrap());
    server.fail(true);
    assert!(resolver.is_there("nobody.example").await.is_err());
    let error = resolver.texts("nobody.example").await.unwrap_err();
    assert_eq!(error.to_string(), "the DNS did not answer");
    let address = server.address();
    drop(server);
    assert!(Resolver::at(address).texts("nobody.example").await.is_err());
}
