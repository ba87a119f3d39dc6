//! PINs, devices, and signing in with both: `/api/v1/users/{id}/pin`, `/api/v1/devices`,
//! `/api/v1/auth/login/pin`.

use serde_json::{Value, json};
use tenantry_testkit::app::{SignIn, TestApp};

use super::add;
use crate::shape::{has_fields, is_id};

const PIN: &str = "480216";

async fn a_till_is_opened_with_a_pin(app: TestApp) {
    let acme = app.tenant("acme").await;
    let globex = app.tenant("globex").await;
    let access = app.sign_in(&acme.host, &acme.owner).await.access;
    let sam = add(&app, &access, "sam@acme.example", "member").await;
    let pin = format!("/api/v1/users/{}/pin", sam["id"].as_str().unwrap());
    for (bad, code) in [("1234", "not_six_digits"), ("123456", "in_a_row")] {
        let call = app.post(&pin).bearer(&access).json(&json!({ "pin": bad }));
        call.send().await.invalid(&[&format!("pin:{code}")]);
    }
    let call = app.post(&pin).bearer(&access).json(&json!({ "pin": PIN }));
    assert_eq!(call.send().await.ok(200)["id"], sam["id"]);

    let call = app.post("/api/v1/devices").bearer(&access);
    let till = call.json(&json!({ "name": "Till 1" })).send().await.ok(201);
    has_fields(
        &till,
        &["created_at", "device_token", "id", "last_used_at", "name"],
    );
    is_id(&till["id"]);
    let token = till["device_token"].as_str().unwrap();
    let list = app.get("/api/v1/devices").bearer(&access).send().await;
    let list = list.ok(200);
    has_fields(
        &list["items"][0],
        &["created_at", "id", "last_used_at", "name"],
    );

    let login = async |body: Value, host: &str| {
        let call = app.post("/api/v1/auth/login/pin").host(host).json(&body);
        call.send().await
    };
    let body = json!({ "email": "sam@acme.example", "pin": PIN, "device_token": token });
    for host in ["localhost", acme.host.as_str()] {
        let signed_in = SignIn::of(login(body.clone(), host).await.ok(200));
        has_fields(
            &signed_in.body,
            &[
                "access_token",
                "expires_in",
                "refresh_token",
                "tenant",
                "token_type",
                "user",
            ],
        );
        assert_eq!(signed_in.body["tenant"]["slug"], json!("acme"));
        let me = app.get("/api/v1/auth/me").bearer(&signed_in.access);
        assert_eq!(me.send().await.ok(200)["id"], sam["id"]);
    }
    let garbage = json!({ "email": "sam@acme.example", "pin": PIN, "device_token": "garbage" });
    let garbage = login(garbage, "localhost").await;
    let elsewhere = login(body.clone(), &globex.host).await;
    assert_eq!(
        elsewhere.problem(401, "invalid_credentials")["detail"],
        garbage.problem(401, "invalid_credentials")["detail"]
    );
    let wrong = json!({ "email": "sam@acme.example", "pin": "480217", "device_token": token });
    login(wrong, "localhost")
        .await
        .problem(401, "invalid_credentials");

    let other = app.sign_in(&globex.host, &globex.owner).await.access;
    let path = format!("/api/v1/devices/{}", till["id"].as_str().unwrap());
    let strangers = app.call("DELETE", &path).bearer(&other).send().await;
    strangers.problem(404, "not_found");
    let live = SignIn::of(login(body.clone(), "localhost").await.ok(200));
    let gone = app.call("DELETE", &path).bearer(&access).send().await;
    assert_eq!(gone.status, 204);
    let stale = app.get("/api/v1/auth/me").bearer(&live.access);
    stale.send().await.problem(401, "session_stale");
    login(body, "localhost")
        .await
        .problem(401, "invalid_credentials");
}

on_both!(a_till_is_opened_with_a_pin,);
