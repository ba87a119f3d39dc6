//! Domains of tenants' own: hints only once they are verified.

use tenantry_store::Hint;

use crate::support::{Bench, Dialect};

on_both! {
    only_verified_domains_of_the_right_kind_count,
}

async fn only_verified_domains_of_the_right_kind_count(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.active_tenant("acme").await;
    for (domain, kind, verified) in [
        ("z.example", "host", "1"),
        ("a.example", "host", "1"),
        ("new.example", "host", "NULL"),
        ("mail.example", "email", "1"),
        ("newmail.example", "email", "NULL"),
    ] {
        let sql = format!(
            "INSERT INTO tenant_domains (domain, kind, tenant_id, created_at, verified_at)
             VALUES ('{domain}', '{kind}', $1, 1, {verified})"
        );
        bench.raw(&sql, tenant.id.uuid()).await.unwrap();
    }
    assert_eq!(
        look!(bench, domains().list_hosts(tenant.id)),
        ["a.example", "z.example"]
    );
    let found = look!(bench, tenants().find_by_domain("a.example")).unwrap();
    assert_eq!(found.id, tenant.id);
    let found = look!(bench, tenants().find(&Hint::Domain("z.example".to_owned())));
    assert_eq!(found.map(|tenant| tenant.id), Some(tenant.id));
    for domain in ["new.example", "mail.example", "other.example"] {
        assert!(
            look!(bench, tenants().find_by_domain(domain)).is_none(),
            "{domain}"
        );
    }
    let found = look!(bench, domains().find_by_mail_domain("mail.example"));
    assert_eq!(found, Some(tenant.id));
    for domain in ["newmail.example", "a.example", "other.example"] {
        assert_eq!(
            look!(bench, domains().find_by_mail_domain(domain)),
            None,
            "{domain}"
        );
    }
}
