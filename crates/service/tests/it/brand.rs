//! A tenant's colour and logo: kept over its lives, gone with it.

use tenantry_core::Colour;
use tenantry_core::logo::LOGO_OCTETS;
use tenantry_service::Refusal;
use tenantry_service::tenants::TenantPatch;
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, PASSWORD, TestService};

use crate::people::{ADA, id, start};

on_both!(colour_and_logo_stay_over_generations_and_go_with_the_tenant);

/// A PNG of 32 by 32 with something of its own.
fn png(mark: u8) -> Vec<u8> {
    let mut body = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x20\0\0\0\x20\x08\x06\0\0\0".to_vec();
    body.push(mark);
    body
}

fn colour(colour: Option<Colour>) -> TenantPatch {
    TenantPatch {
        colour: Some(colour),
        ..TenantPatch::default()
    }
}

async fn colour_and_logo_stay_over_generations_and_go_with_the_tenant(driver: Driver) {
    let test = start(driver).await;
    let service = &test.service;
    let acme = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let id = id(&acme);
    assert_eq!((acme.tenant.colour, acme.tenant.logo), (None, None));
    let yellow = Colour::new(0xff, 0xff, 0);
    let view = service.patch_tenant(id, colour(Some(yellow))).await;
    assert_eq!(view.unwrap().tenant.colour, Some(yellow));
    let view = service.set_logo(id, png(1)).await.unwrap();
    let first = view.tenant.logo.unwrap();
    let view = service.set_logo(id, png(2)).await.unwrap();
    let tag = view.tenant.logo.unwrap();
    assert_ne!(first, tag);
    assert!(service.find_logo(first).await.unwrap().is_none());
    assert_eq!(service.find_logo(tag).await.unwrap().unwrap().body, png(2));
    // What is refused leaves the one before.
    for bad in [Vec::new(), b"<svg/>".to_vec(), vec![0; LOGO_OCTETS + 1]] {
        refused!(service.set_logo(id, bad).await, Refusal::Validation(_));
    }

    let fresh = tenantry_service::tenants::NewOwner {
        email: ADA.parse().unwrap(),
        username: None,
        full_name: None,
        password: Some(PASSWORD.to_owned()),
    };
    let (made, _) = service.recreate_tenant(id, &fresh).await.unwrap();
    drop(made);
    let view = service.view(id).await.unwrap();
    assert!(view.tenant.generation > acme.tenant.generation);
    assert_eq!(
        (view.tenant.colour, view.tenant.logo),
        (Some(yellow), Some(tag))
    );
    assert!(service.find_logo(tag).await.unwrap().is_some());

    service.delete_tenant(id, true).await.unwrap();
    refused!(service.view(id).await, Refusal::NotFound);
    assert!(service.find_logo(tag).await.unwrap().is_none());
    refused!(service.set_logo(id, png(1)).await, Refusal::NotFound);
    refused!(service.remove_logo(id).await, Refusal::NotFound);
}

#[tokio::test]
async fn a_tenants_mails_carry_its_name_and_colour() {
    let test = start(Driver::Sqlite).await;
    let mut new = TestService::new_tenant("acme", ADA, None).unwrap();
    new.colour = Some(Colour::new(0xff, 0xff, 0));
    test.create(new).await.unwrap();
    let plain = TestService::new_tenant("globex", ADA, None).unwrap();
    let globex = test.create(plain).await.unwrap();
    let mut mails = test.mails().await.unwrap();
    mails.sort_by_key(|mail| {
        mail.html
            .as_ref()
            .is_some_and(|html| html.contains("#ffff00"))
    });
    let [none, own] = &mails[..] else {
        panic!("{} mails", mails.len());
    };
    let html = own.html.as_deref().unwrap();
    assert!(html.contains("background-color:#ffff00") && html.contains("color:#050505"));
    // Without a colour of its own, the one that its pages have too.
    let paint = globex.tenant.paint();
    assert_ne!(paint, Colour::PLATFORM);
    let html = none.html.as_deref().unwrap();
    assert!(
        html.contains(&format!("background-color:{paint}")),
        "{html}"
    );
}

#[tokio::test]
async fn a_logo_is_taken_away_once() {
    let test = start(Driver::Sqlite).await;
    let acme = id(&test.make_tenant("acme", ADA, PASSWORD).await.unwrap());
    let globex = id(&test.make_tenant("globex", ADA, PASSWORD).await.unwrap());
    // The same image in two tenants: one of them taking it away leaves it to the other.
    let tag = test.service.set_logo(acme, png(1)).await.unwrap();
    let tag = tag.tenant.logo.unwrap();
    let same = test.service.set_logo(globex, png(1)).await.unwrap();
    assert_eq!(same.tenant.logo, Some(tag));
    let view = test.service.remove_logo(acme).await.unwrap();
    assert_eq!(view.tenant.logo, None);
    assert!(test.service.find_logo(tag).await.unwrap().is_some());
    refused!(test.service.remove_logo(acme).await, Refusal::NotFound);
    test.service.remove_logo(globex).await.unwrap();
    assert!(test.service.find_logo(tag).await.unwrap().is_none());
}
