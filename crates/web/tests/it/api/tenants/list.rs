//! `GET /api/v1/tenants` and `GET …/{tenant}`

use serde_json::Value;
use tenantry_testkit::app::TestApp;

use super::{TENANTS, is_tenant};
use crate::shape::{has_fields, nobodys_id};

async fn goes_from_page_to_page(app: TestApp) {
    let admin = app.admin().await.access;
    let page = async |query: &str| {
        let answer = app
            .get(&format!("{TENANTS}{query}"))
            .bearer(&admin)
            .send()
            .await;
        let body = answer.ok(200);
        has_fields(&body, &["items", "next_cursor"]);
        body
    };
    let none = page("").await;
    assert_eq!(
        (none["items"].as_array().map(Vec::len), &none["next_cursor"]),
        (Some(0), &Value::Null)
    );
    let slugs = ["acme", "globex", "initech", "umbrella", "wayne"];
    for slug in slugs {
        app.tenant(slug).await;
    }
    let all = page("").await;
    assert_eq!(all["next_cursor"], Value::Null);
    for tenant in all["items"].as_array().unwrap() {
        is_tenant(tenant);
    }
    for limit in [1, 2, 3, 4, 5, 200] {
        let (mut seen, mut query) = (Vec::new(), format!("?limit={limit}"));
        loop {
            let body = page(&query).await;
            let items = body["items"].as_array().unwrap();
            assert!(!items.is_empty() && items.len() <= limit);
            seen.extend(
                items
                    .iter()
                    .map(|tenant| tenant["slug"].as_str().unwrap().to_owned()),
            );
            match body["next_cursor"].as_str() {
                Some(cursor) => query = format!("?limit={limit}&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(seen, slugs, "limit {limit}");
    }
}

on_both!(goes_from_page_to_page);

async fn a_wrong_limit_or_cursor_is_told(app: TestApp) {
    let admin = app.admin().await.access;
    app.tenant("acme").await;
    for path in [TENANTS, "/api/v1/workflows"] {
        let ask = async |query: &str| {
            app.get(&format!("{path}?{query}"))
                .bearer(&admin)
                .send()
                .await
        };
        for query in [
            "limit=0",
            "limit=-1",
            "limit=201",
            "limit=9223372036854775807",
        ] {
            ask(query).await.invalid(&["limit:invalid"]);
        }
        for query in [
            "limit=x",
            "limit=",
            "limit=1.5",
            "limit=9223372036854775808",
            "limit=1&limit=2",
            "cursor=1&cursor=2",
            "nothing=1",
            "limit=%ff",
            "limit=1%00",
        ] {
            ask(query).await.problem(400, "malformed_request");
        }
        for query in [
            "cursor=x",
            "cursor=",
            "cursor=%00",
            "cursor=1;DROP TABLE tenants",
            "cursor=%F0%9F%92%A9",
            "cursor=99999999999999999999",
            "cursor=1%0A",
        ] {
            ask(query).await.invalid(&["cursor:invalid"]);
        }
    }
    let past = app
        .get(&format!("{TENANTS}?cursor=9223372036854775807"))
        .bearer(&admin)
        .send()
        .await;
    assert_eq!(past.ok(200)["items"].as_array().map(Vec::len), Some(0));
}

on_both!(a_wrong_limit_or_cursor_is_told);

async fn is_shown_by_id_and_by_slug(app: TestApp) {
    let admin = app.admin().await.access;
    let acme = app.tenant("acme").await;
    let show = async |name: &str| {
        app.get(&format!("{TENANTS}/{name}"))
            .bearer(&admin)
            .send()
            .await
    };
    let body = show("acme").await.ok(200);
    is_tenant(&body);
    assert_eq!(body["id"], acme.id);
    assert_eq!(show(&acme.id).await.ok(200), body);
    for name in [
        "nobody",
        &nobodys_id(),
        "ACME",
        "TEN00001",
        "1",
        "acme%00",
        "acme%20",
        "%2e%2e%2facme",
    ] {
        show(name).await.problem(404, "not_found");
    }
}

on_both!(is_shown_by_id_and_by_slug);
