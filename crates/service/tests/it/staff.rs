//! Running a tenant's people: whom one may touch, what stays, and the directory in step with it.

use futures_util::future::join_all;
use tenantry_core::user::User;
use tenantry_core::{Locale, Role};
use tenantry_service::Refusal;
use tenantry_service::staff::{Acting, FirstPassword, NewStaff, StaffChange};
use tenantry_testkit::service::{Options, PASSWORD, setup_token};

use crate::bench::{Bench, address, cut_off, staff, with_password};
use crate::people::{ADA, OTHER, one, sign_in_twice, try_in};

everywhere!(
    somebody_is_added_in_each_way,
    names_belong_to_one_person,
    nobody_touches_or_grants_more_than_he_has,
    one_owner_stays,
    of_two_owners_who_demote_each_other_one_stays,
    a_change_ends_what_was_proved_before,
    an_address_moves_with_the_directory,
    a_removed_person_is_gone,
    a_link_is_sent_again,
    whatever_dies_in_between_is_settled,
);

fn role(role: Role) -> StaffChange {
    StaffChange {
        role: Some(role),
        ..StaffChange::default()
    }
}

fn email(email: &str) -> StaffChange {
    StaffChange {
        email: Some(address(email)),
        ..StaffChange::default()
    }
}

fn disabled(disabled: bool) -> StaffChange {
    StaffChange {
        disabled: Some(disabled),
        ..StaffChange::default()
    }
}

async fn change(
    bench: &Bench,
    by: &tenantry_service::sessions::Principal,
    user: &User,
    change: StaffChange,
) -> Result<User, Refusal> {
    let acting = Acting::of(by)?;
    bench.service().change_staff(&acting, user.id, change).await
}

async fn remove(
    bench: &Bench,
    by: &tenantry_service::sessions::Principal,
    user: &User,
) -> Result<(), Refusal> {
    let acting = Acting::of(by)?;
    bench.service().remove_staff(&acting, user.id).await
}

async fn somebody_is_added_in_each_way(bench: &Bench) {
    let ada = bench.owner().await;
    let given = bench.add(&ada, "given@way.example", Role::Member).await;
    assert!(!given.must_change_password);
    one(try_in(&bench.test, None, "given@way.example", PASSWORD)
        .await
        .unwrap());

    let generated = NewStaff {
        password: FirstPassword::Generated,
        ..staff("generated@way.example", Role::Admin)
    };
    let created = bench.create(&ada, generated).await.unwrap();
    let password = created.password.unwrap();
    assert!(created.user.must_change_password);
    let signed_in = try_in(
        &bench.test,
        None,
        "generated@way.example",
        password.expose(),
    );
    let (person, _) = one(signed_in.await.unwrap());
    assert!(person.must_change_password());

    let invited = bench
        .create(&ada, staff("invited@way.example", Role::Member))
        .await
        .unwrap();
    assert!(!invited.user.has_password && invited.password.is_none());
    let token = bench
        .test
        .setup_token_from_mail("invited@way.example")
        .await
        .unwrap();
    bench
        .service()
        .setup_password(&token, OTHER, None, None)
        .await
        .unwrap();
    one(try_in(&bench.test, None, "invited@way.example", OTHER)
        .await
        .unwrap());
    bench.expect_in_step("added in each way").await;
}

async fn names_belong_to_one_person(bench: &Bench) {
    let ada = bench.owner().await;
    let named = |email: &str, name: &str| NewStaff {
        username: Some(name.parse().unwrap()),
        ..with_password(email, Role::Member)
    };
    let many = (0..6).map(|_| bench.create(&ada, named("same@names.example", "same-name")));
    let made = join_all(many).await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1);
    for refused in made.into_iter().filter_map(Result::err) {
        assert!(matches!(refused, Refusal::EmailTaken), "{refused:?}");
    }
    refused!(
        bench
            .create(&ada, named("other@names.example", "SAME-name"))
            .await,
        Refusal::UsernameTaken
    );
    let other = bench.add(&ada, "other@names.example", Role::Member).await;
    refused!(
        change(bench, &ada, &other, email("SAME@names.example")).await,
        Refusal::EmailTaken
    );
    let username = StaffChange {
        username: Some(Some("same-name".parse().unwrap())),
        ..StaffChange::default()
    };
    refused!(
        change(bench, &ada, &other, username).await,
        Refusal::UsernameTaken
    );
    bench.expect_in_step("names that were taken").await;
}

async fn nobody_touches_or_grants_more_than_he_has(bench: &Bench) {
    let ada = bench.owner().await;
    let owner = ada.person.subject();
    bench.add(&ada, "admin@rank.example", Role::Admin).await;
    let peer = bench.add(&ada, "peer@rank.example", Role::Admin).await;
    let member = bench.add(&ada, "member@rank.example", Role::Member).await;
    let admin = bench.principal("admin@rank.example").await;
    let tenantry_core::session::Subject::User { user: owner, .. } = owner else {
        panic!("an owner is in a tenant");
    };
    let acting = Acting::of(&admin).unwrap();
    let service = bench.service();
    let owner = service.find_staff(acting.tenant(), owner).await.unwrap();
    refused!(
        bench
            .create(&admin, with_password("new@rank.example", Role::Owner))
            .await,
        Refusal::Forbidden
    );
    refused!(
        change(bench, &admin, &member, role(Role::Owner)).await,
        Refusal::Forbidden
    );
    for changed in [role(Role::Member), email("x@rank.example"), disabled(true)] {
        refused!(
            change(bench, &admin, &owner, changed).await,
            Refusal::Forbidden
        );
    }
    refused!(remove(bench, &admin, &owner).await, Refusal::Forbidden);
    refused!(
        service.end_staff_sessions(&acting, owner.id).await,
        Refusal::Forbidden
    );
    refused!(
        service.send_setup_link(&acting, owner.id, Locale::En).await,
        Refusal::Forbidden
    );
    refused!(
        service.set_pin(&acting, owner.id, Some("480216")).await,
        Refusal::Forbidden
    );
    refused!(
        change(bench, &ada, &member, role(Role::PlatformAdmin)).await,
        Refusal::Validation(_)
    );
    // Equals and below.
    change(bench, &admin, &peer, role(Role::Member))
        .await
        .unwrap();
    change(bench, &admin, &member, role(Role::Admin))
        .await
        .unwrap();
    // Whoever was demoted a moment ago no longer counts, even with the session of before.
    let demoted = bench.principal("member@rank.example").await;
    change(bench, &admin, &member, role(Role::Member))
        .await
        .unwrap();
    refused!(
        change(bench, &demoted, &peer, disabled(true)).await,
        Refusal::Forbidden
    );
    refused!(
        bench
            .create(&demoted, with_password("late@rank.example", Role::Member))
            .await,
        Refusal::Forbidden
    );
    let is_member = bench.principal("member@rank.example").await;
    assert!(matches!(Acting::of(&is_member), Err(Refusal::Forbidden)));
    bench.expect_in_step("ranks").await;
}

async fn one_owner_stays(bench: &Bench) {
    let ada = bench.owner().await;
    let tenantry_service::signin::Person::User { user, .. } = &ada.person else {
        panic!("an owner is in a tenant");
    };
    refused!(
        change(bench, &ada, user, role(Role::Admin)).await,
        Refusal::LastOwner
    );
    refused!(remove(bench, &ada, user).await, Refusal::LastOwner);
    refused!(
        change(bench, &ada, user, disabled(true)).await,
        Refusal::Conflict(_)
    );
    // One who can't get in is none to stay behind.
    let kept_out = bench.add(&ada, "out@owners.example", Role::Owner).await;
    change(bench, &ada, &kept_out, disabled(true))
        .await
        .unwrap();
    refused!(remove(bench, &ada, user).await, Refusal::LastOwner);
    remove(bench, &ada, &kept_out).await.unwrap();
    // One's own address is proven first.
    refused!(
        change(bench, &ada, user, email("next@owners.example")).await,
        Refusal::Conflict(_)
    );
    bench.expect_in_step("the last owner").await;
}

async fn of_two_owners_who_demote_each_other_one_stays(bench: &Bench) {
    let ada = bench.owner().await;
    for turn in 0..3 {
        let (one, other) = (
            format!("one{turn}@duel.example"),
            format!("other{turn}@duel.example"),
        );
        let first = bench.add(&ada, &one, Role::Owner).await;
        let second = bench.add(&ada, &other, Role::Owner).await;
        let (by_first, by_second) = (bench.principal(&one).await, bench.principal(&other).await);
        let (hit, back) = tokio::join!(
            change(bench, &by_first, &second, role(Role::Member)),
            change(bench, &by_second, &first, role(Role::Member)),
        );
        assert!(
            hit.is_ok() != back.is_ok(),
            "exactly one wins: {hit:?} {back:?}"
        );
        remove(bench, &ada, &first).await.unwrap();
        remove(bench, &ada, &second).await.unwrap();
    }
    bench.expect_in_step("duels").await;
}

async fn a_change_ends_what_was_proved_before(bench: &Bench) {
    let ada = bench.owner().await;
    for (number, what) in [
        role(Role::Admin),
        disabled(true),
        email("moved@ends.example"),
    ]
    .into_iter()
    .enumerate()
    {
        let address = format!("person{number}@ends.example");
        let user = bench.add(&ada, &address, Role::Member).await;
        let twice = sign_in_twice(&bench.test, "acme", &address, PASSWORD).await;
        let named = StaffChange {
            full_name: Some(Some("Somebody".to_owned())),
            ..StaffChange::default()
        };
        change(bench, &ada, &user, named).await.unwrap();
        twice.expect_live(bench.service()).await;
        change(bench, &ada, &user, what).await.unwrap();
        twice.expect_stale(bench.service(), &address).await;
        let reasons = format!(
            "SELECT COUNT(*) FROM sessions WHERE subject_id = {} AND end_reason = 'admin'",
            bench.test.control().literal(user.id.uuid())
        );
        assert_eq!(bench.test.control().number(&reasons).await.unwrap(), 2);
    }
    let user = bench.add(&ada, "ended@ends.example", Role::Member).await;
    let twice = sign_in_twice(&bench.test, "acme", "ended@ends.example", PASSWORD).await;
    let acting = Acting::of(&ada).unwrap();
    let ended = bench.service().end_staff_sessions(&acting, user.id).await;
    assert_eq!(ended.unwrap(), 2);
    twice
        .expect_stale(bench.service(), "ended by an admin")
        .await;
}

async fn an_address_moves_with_the_directory(bench: &Bench) {
    let ada = bench.owner().await;
    let user = bench.add(&ada, "old@moves.example", Role::Member).await;
    // A link to the old address is worth nothing afterwards.
    bench
        .create(&ada, staff("link@moves.example", Role::Member))
        .await
        .unwrap();
    let mails = bench.test.mails().await.unwrap();
    let mail = mails.iter().find(|mail| mail.to == "link@moves.example");
    let token = mail.and_then(setup_token).unwrap();
    let acting = Acting::of(&ada).unwrap();
    let listed = bench.service().list_staff(acting.tenant(), None, 500).await;
    let invited = listed.unwrap();
    let invited = invited
        .iter()
        .find(|user| user.email.as_str() == "link@moves.example");
    change(bench, &ada, invited.unwrap(), email("linked@moves.example"))
        .await
        .unwrap();
    refused!(
        bench
            .service()
            .setup_password(&token, OTHER, None, None)
            .await,
        Refusal::TokenInvalid
    );

    change(bench, &ada, &user, email("new@moves.example"))
        .await
        .unwrap();
    one(try_in(&bench.test, None, "new@moves.example", PASSWORD)
        .await
        .unwrap());
    refused!(
        try_in(&bench.test, None, "old@moves.example", PASSWORD).await,
        Refusal::InvalidCredentials
    );
    // The old address is free for somebody else.
    bench.add(&ada, "old@moves.example", Role::Member).await;
    // With another role at the same time.
    let both = StaffChange {
        role: Some(Role::Owner),
        ..email("newer@moves.example")
    };
    change(bench, &ada, &user, both).await.unwrap();
    change(bench, &ada, &user, role(Role::Member))
        .await
        .unwrap();
    bench.expect_in_step("moved").await;
}

async fn a_removed_person_is_gone(bench: &Bench) {
    let ada = bench.owner().await;
    let user = bench.add(&ada, "leaver@gone.example", Role::Admin).await;
    let twice = sign_in_twice(&bench.test, "acme", "leaver@gone.example", PASSWORD).await;
    let leaver = bench.principal("leaver@gone.example").await;
    // Whoever wants to go may.
    remove(bench, &leaver, &user).await.unwrap();
    twice.expect_stale(bench.service(), "removed").await;
    refused!(bench.find(&ada, &user).await, Refusal::NotFound);
    refused!(remove(bench, &ada, &user).await, Refusal::NotFound);
    refused!(
        try_in(&bench.test, None, "leaver@gone.example", PASSWORD).await,
        Refusal::InvalidCredentials
    );
    let again = bench.add(&ada, "leaver@gone.example", Role::Member).await;
    assert_ne!(again.id, user.id);
    bench.expect_in_step("removed").await;
}

async fn a_link_is_sent_again(bench: &Bench) {
    let ada = bench.owner().await;
    let acting = Acting::of(&ada).unwrap();
    let new = staff("late@links.example", Role::Member);
    let user = bench.create(&ada, new).await.unwrap().user;
    let first = bench.test.setup_token_from_mail("late@links.example");
    let first = first.await.unwrap();
    bench.test.clock.advance(std::time::Duration::from_secs(1));
    let service = bench.service();
    service
        .send_setup_link(&acting, user.id, Locale::De)
        .await
        .unwrap();
    let second = bench.test.setup_token_from_mail("late@links.example");
    let second = second.await.unwrap();
    refused!(
        service.setup_password(&first, OTHER, None, None).await,
        Refusal::TokenInvalid
    );
    // Good for seven days.
    bench
        .test
        .clock
        .advance(std::time::Duration::from_hours(7 * 24 - 1));
    service
        .setup_password(&second, OTHER, None, None)
        .await
        .unwrap();
    let ada = bench.owner().await;
    let acting = Acting::of(&ada).unwrap();
    refused!(
        service.send_setup_link(&acting, user.id, Locale::En).await,
        Refusal::Conflict(_)
    );
}

/// Cut off wherever it waits for something: what is left is settled by whoever comes next.
async fn whatever_dies_in_between_is_settled(bench: &Bench) {
    let ada = bench.owner().await;
    let mut finished = [false; 3];
    let mut waits = 0;
    while finished.contains(&false) && waits < 400 {
        let [added, moved, gone] =
            ["added", "moved", "gone"].map(|what| format!("{what}{waits}@dies.example"));
        if !finished[0] {
            let new = staff(&added, Role::Member);
            finished[0] = cut_off(Box::pin(bench.create(&ada, new)), waits)
                .await
                .is_some();
        }
        if !finished[1] {
            let user = bench.add_unproven(&ada, &moved).await;
            let change = change(bench, &ada, &user, email(&format!("to-{moved}")));
            finished[1] = cut_off(Box::pin(change), waits).await.is_some();
        }
        if !finished[2] {
            let user = bench.add_unproven(&ada, &gone).await;
            finished[2] = cut_off(Box::pin(remove(bench, &ada, &user)), waits)
                .await
                .is_some();
        }
        // Each place at first, where the writes are; then fewer.
        waits += 1 + waits / 8;
    }
    assert_eq!(finished, [true; 3], "after {waits}");
    assert!(bench.listed("reserved").await > 0);
    bench.reconcile_later().await;
    bench.expect_in_step("after deaths").await;
}

/// Where an address may belong to one tenant only, no way of getting one takes another tenant's.
#[tokio::test]
async fn an_address_of_another_tenant_is_taken() {
    let bench = Bench::open(Options::sqlite().with_global_addresses()).await;
    bench
        .test
        .make_tenant("globex", "grace@globex.example", PASSWORD)
        .await
        .unwrap();
    let ada = bench.owner().await;
    refused!(
        bench
            .create(&ada, with_password("GRACE@globex.example", Role::Member))
            .await,
        Refusal::EmailTaken
    );
    let user = bench.add(&ada, "sam@acme.example", Role::Member).await;
    refused!(
        change(&bench, &ada, &user, email("grace@globex.example")).await,
        Refusal::EmailTaken
    );
    bench.reconcile_later().await;
    bench.expect_in_step("after tries to take an address").await;
    let (person, _) = one(try_in(&bench.test, None, "grace@globex.example", PASSWORD)
        .await
        .unwrap());
    assert_eq!(person.tenant().unwrap().slug.as_str(), "globex");
    // Given up by the one, it is free for the other.
    change(&bench, &ada, &user, email("sam.o@acme.example"))
        .await
        .unwrap();
    let grace = crate::people::sign_in(
        &bench.test,
        "globex",
        "grace@globex.example",
        PASSWORD,
        tenantry_core::session::SessionKind::Browser,
    )
    .await;
    let cookie = tenantry_service::sessions::Credential::Cookie(grace.1.token.expose());
    let grace = bench.service().authenticate(cookie, None).await.unwrap();
    bench
        .create(&grace, with_password("sam@acme.example", Role::Member))
        .await
        .unwrap();
}

/// People of one tenant are nobody in another.
#[tokio::test]
async fn people_of_another_tenant_are_nobody() {
    let bench = Bench::in_files().await;
    bench
        .test
        .make_tenant("globex", "grace@globex.example", OTHER)
        .await
        .unwrap();
    let ada = bench.owner().await;
    let user = bench.add(&ada, "sam@acme.example", Role::Member).await;
    let (_, issued) = crate::people::sign_in(
        &bench.test,
        "globex",
        "grace@globex.example",
        OTHER,
        tenantry_core::session::SessionKind::Browser,
    )
    .await;
    let cookie = tenantry_service::sessions::Credential::Cookie(issued.token.expose());
    let grace = bench.service().authenticate(cookie, None).await.unwrap();
    let acting = Acting::of(&grace).unwrap();
    refused!(bench.find(&grace, &user).await, Refusal::NotFound);
    refused!(
        change(&bench, &grace, &user, role(Role::Admin)).await,
        Refusal::NotFound
    );
    refused!(remove(&bench, &grace, &user).await, Refusal::NotFound);
    refused!(
        bench.service().end_staff_sessions(&acting, user.id).await,
        Refusal::NotFound
    );
    refused!(
        bench
            .service()
            .set_pin(&acting, user.id, Some("480216"))
            .await,
        Refusal::NotFound
    );
    one(
        try_in(&bench.test, Some("acme"), "sam@acme.example", PASSWORD)
            .await
            .unwrap(),
    );
    one(try_in(&bench.test, Some("acme"), ADA, PASSWORD)
        .await
        .unwrap());
}
