//! Known secrets are planted and looked for: in the registry, in every file, in the log.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use tenantry_core::session::SessionKind;
use tenantry_service::sessions::Credential;
use tenantry_service::webhooks::NewWebhook;
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, TestService};

use crate::people::{ADA, OTHER, id, principal, sign_in, start, try_in};

/// A password that stands nowhere else.
const PLANTED: &str = "zq-planted-pässword-0417";
const CHANGED: &str = "zq-planted-another-0418";
const GUESSED: &str = "zq-planted-guess-0419";

/// Everything that is logged, down to the last detail.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Octets to look for, by the name of the secret.
struct Secrets(Vec<(&'static str, Vec<u8>)>);

impl Secrets {
    fn plant(&mut self, name: &'static str, text: &str) {
        self.0.push((name, text.as_bytes().to_vec()));
    }

    /// A token as text, and the secret octets in it: between head and tag.
    fn plant_token(&mut self, name: &'static str, token: &str) {
        self.plant(name, token);
        let octets = BASE64_URL_SAFE_NO_PAD.decode(token).unwrap();
        self.0.push((name, octets[42..74].to_vec()));
    }

    fn look(&self, place: &str, octets: &[u8]) {
        for (name, secret) in &self.0 {
            let found = octets.windows(secret.len()).any(|window| window == secret);
            assert!(!found, "{name} is in {place}");
            let digits = secret.iter().map(|octet| format!("{octet:02x}"));
            let digits = digits.collect::<String>().into_bytes();
            let found = octets
                .windows(digits.len())
                .any(|window| window.eq_ignore_ascii_case(&digits));
            assert!(!found, "{name} is in {place}, in hexadecimal");
        }
    }

    fn look_in_files(&self, folder: &Path, except: &Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path == except {
                continue;
            }
            if path.is_dir() {
                self.look_in_files(&path, except);
            } else {
                let octets = std::fs::read(&path).unwrap();
                self.look(&path.display().to_string(), &octets);
            }
        }
    }
}

/// Lets every secret there is do its work once.
async fn use_everything(test: &TestService, secrets: &mut Secrets) {
    let service = &test.service;
    test.make_tenant("acme", ADA, PLANTED).await.unwrap();
    let globex = test.invite_tenant("globex", ADA).await.unwrap();
    let token = test.setup_token_from_mail(ADA).await.unwrap();
    secrets.plant_token("a setup token", &token);
    service.setup_view(&token, None).await.unwrap();
    service
        .setup_password(&token, PLANTED, Some(id(&globex)), None)
        .await
        .unwrap();
    assert!(service.setup_view(&token, None).await.is_err());
    let _ = try_in(test, Some("acme"), ADA, GUESSED).await;
    // The same password in both: there is a selection.
    assert!(try_in(test, None, ADA, PLANTED).await.is_ok());

    let (_, browser) = sign_in(test, "acme", ADA, PLANTED, SessionKind::Browser).await;
    secrets.plant_token("a cookie", browser.token.expose());
    let (_, api) = sign_in(test, "acme", ADA, PLANTED, SessionKind::Api).await;
    secrets.plant_token("a refresh token", api.token.expose());
    let access = api.access_token.unwrap();
    secrets.plant("an access token", access.expose());
    let bearer = Credential::Bearer(access.expose());
    service.authenticate(bearer, None).await.unwrap();
    let (_, renewed) = service.refresh(api.token.expose(), None).await.unwrap();
    secrets.plant_token("a renewed refresh token", renewed.token.expose());
    assert!(service.refresh(api.token.expose(), None).await.is_err());
    let ada = principal(test, browser.token.expose()).await;
    service
        .change_password(&ada, PLANTED, CHANGED, None)
        .await
        .unwrap();
    let hook = NewWebhook {
        url: "http://127.0.0.1:9/".to_owned(),
        events: Vec::new(),
        description: None,
    };
    let (webhook, secret) = service.add_webhook(&hook).await.unwrap();
    secrets.plant("a webhook's secret", secret.expose());
    let octets = secret.expose().strip_prefix("whsec_").unwrap();
    let octets = base64::prelude::BASE64_STANDARD.decode(octets).unwrap();
    secrets.0.push(("a webhook's secret", octets));
    assert!(
        service
            .try_webhook(webhook.id)
            .await
            .unwrap()
            .failure
            .is_some()
    );
    service.suspend_tenant(id(&globex)).await.unwrap();
    service.resume_tenant(id(&globex)).await.unwrap();
    assert_eq!(service.deliver_due_notices().await.unwrap(), 0);
    let email = "root@example.org".parse().unwrap();
    let admin = service.create_admin(email, None).await.unwrap();
    let link = admin.setup_link.unwrap();
    let token = link.expose().rsplit('/').next().unwrap();
    secrets.plant_token("an admin's setup token", token);
    // Things that go wrong are logged with more words.
    let file = test.tenant_file(id(&globex), globex.tenant.generation);
    std::fs::write(file, "garbage").unwrap();
    let _ = try_in(test, Some("globex"), ADA, PLANTED).await;
    test.service.delete_tenant(id(&globex), true).await.unwrap();
}

async fn no_secret_is_written_or_logged(driver: Driver) {
    let log = Log::default();
    let writer = log.clone();
    // Of several tests in one process the first one's log gets everything.
    let listening = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .try_init()
        .is_ok();
    let test = start(driver).await;
    let mut secrets = Secrets(Vec::new());
    for (name, text) in [
        ("a password", PLANTED),
        ("a changed password", CHANGED),
        ("a guessed password", GUESSED),
    ] {
        secrets.plant(name, text);
    }
    let master = test.master().to_base64();
    secrets.plant("the master key", master.expose());
    let octets = base64::prelude::BASE64_STANDARD
        .decode(master.expose())
        .unwrap();
    secrets.0.push(("the master key", octets));
    use_everything(&test, &mut secrets).await;

    let rows = test.control().dump().await.unwrap().join("\n");
    assert!(rows.contains("acme"), "the rows were read");
    secrets.look("the registry", rows.as_bytes());
    secrets.look_in_files(test.data_dir(), &test.mail_dir());
    let logged = log.0.lock().unwrap().clone();
    assert_eq!(logged.is_empty(), !listening);
    secrets.look("the log", &logged);
    // The same eyes do see what is there.
    let mut seen = Secrets(Vec::new());
    seen.plant("the slug", "acme");
    let looked = std::panic::catch_unwind(|| seen.look("the registry", rows.as_bytes()));
    assert!(looked.is_err());
    assert_ne!(OTHER, PLANTED);
}

on_both!(no_secret_is_written_or_logged);
