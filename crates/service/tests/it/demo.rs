//! The demo: two tenants, and one address that is a member of both.

use tenantry_core::Role;
use tenantry_testkit::on_both;
use tenantry_testkit::service::Driver;

use crate::check::found;
use crate::people::{one, start, try_in};

async fn everybody_it_tells_of_gets_in(driver: Driver) {
    let test = start(driver).await;
    let people = test.service.make_demo().await.unwrap();
    let roles: Vec<Role> = people.iter().map(|person| person.role).collect();
    assert_eq!(
        roles,
        [Role::Owner, Role::Member, Role::Owner, Role::Member]
    );
    assert_eq!(people[1].email, people[3].email);
    for person in &people {
        let password = person.password.as_deref().unwrap();
        let signed_in = try_in(&test, Some(&person.tenant), &person.email, password).await;
        let (who, _) = one(signed_in.unwrap());
        assert_eq!(who.tenant().unwrap().slug.as_str(), person.tenant);
        // Passwords differ, so the directory leads each to the right tenant.
        one(try_in(&test, None, &person.email, password).await.unwrap());
    }
    for slug in ["acme", "globex"] {
        assert_eq!(found(&test, slug).await, []);
    }
    let again = test.service.make_demo().await.unwrap();
    assert!(again.iter().all(|person| person.password.is_none()));
    assert_eq!(again.len(), people.len());
}

on_both!(everybody_it_tells_of_gets_in);
