//! Known secrets are planted and looked for: in the registry, in every file, in Redis, in the log,
//! wherever sessions lie.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use tenantry_core::session::SessionKind;
use tenantry_core::{Locale, Role};
use tenantry_keys::sealing::{DataKey, Sealer};
use tenantry_service::idempotency::{Caller, Once};
use tenantry_service::pin::PinShown;
use tenantry_service::recovery::Way;
use tenantry_service::resolve::Resolved;
use tenantry_service::sessions::{Credential, Principal};
use tenantry_service::staff::{Acting, FirstPassword, NewStaff};
use tenantry_service::webhooks::NewWebhook;
use tenantry_store::control::SealedDataKey;
use tenantry_testkit::on_each_session_driver;
use tenantry_testkit::service::{Options, SessionDriver, TestService, client, link_token};

use crate::people::{ADA, IP, OTHER, by_email, id, named, principal, sign_in, try_in};
use crate::recovery::ask;
use crate::recovery::codes::codes;

/// A password that stands nowhere else.
const PLANTED: &str = "zq-planted-pässword-0417";
const CHANGED: &str = "zq-planted-another-0418";
const GUESSED: &str = "zq-planted-guess-0419";
const PIN: &str = "480216";
const GUESSED_PIN: &str = "739152";

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

/// Octets as text: each is the character of that number.
fn latin(octets: &[u8]) -> String {
    octets.iter().copied().map(char::from).collect()
}

/// Octets to look for, by the name of the secret.
#[derive(Default)]
struct Secrets {
    octets: Vec<(&'static str, Vec<u8>)>,
    /// Digits that are no secret as a part of a longer number or of a time.
    digits: Vec<(&'static str, String)>,
}

impl Secrets {
    fn plant(&mut self, name: &'static str, text: &str) {
        self.octets.push((name, text.as_bytes().to_vec()));
    }

    /// Six digits, which by themselves are in every other number.
    fn plant_digits(&mut self, name: &'static str, digits: &str) {
        self.digits.push((name, digits.to_owned()));
    }

    /// A token as text, and the secret octets in it: between head and tag.
    fn plant_token(&mut self, name: &'static str, token: &str) {
        self.plant(name, token);
        let octets = BASE64_URL_SAFE_NO_PAD.decode(token).unwrap();
        self.octets.push((name, octets[42..74].to_vec()));
    }

    fn look(&self, place: &str, octets: &[u8]) {
        // As text, which the standard library searches quickly even where this is not optimised.
        let text = latin(octets);
        let lower = text.to_ascii_lowercase();
        for (name, secret) in &self.octets {
            assert!(!text.contains(&latin(secret)), "{name} is in {place}");
            let digits = secret.iter().map(|octet| format!("{octet:02x}"));
            let found = lower.contains(&digits.collect::<String>());
            assert!(!found, "{name} is in {place}, in hexadecimal");
        }
        for (name, digits) in &self.digits {
            let of_a_number =
                |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '.');
            let found = text.match_indices(digits).any(|(at, _)| {
                let after = &text[at + digits.len()..];
                !of_a_number(text[..at].chars().next_back()) && !of_a_number(after.chars().next())
            });
            assert!(!found, "{name} is in {place}");
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

/// Those of people who are added, of devices and PINs, of whoever forgot a password, and answers that
/// are kept.
async fn use_staffs_secrets(test: &TestService, ada: &Principal, secrets: &mut Secrets) {
    let service = &test.service;
    let acting = Acting::of(ada).unwrap();
    let till = "till@example.org";
    let new = NewStaff {
        email: till.parse().unwrap(),
        username: None,
        full_name: None,
        role: Role::Member,
        password: FirstPassword::Generated,
        must_change_password: false,
        locale: Locale::En,
    };
    let created = service.create_staff(&acting, new).await.unwrap();
    let generated = created.password.unwrap();
    secrets.plant("a generated password", generated.expose());
    let device = service.enrol_device(&acting, "Till").await.unwrap();
    let token = device.token.expose().as_str();
    secrets.plant_token("a device's token", token);
    secrets.plant_digits("a PIN", PIN);
    secrets.plant_digits("a guessed PIN", GUESSED_PIN);
    service
        .set_pin(&acting, created.user.id, Some(PIN))
        .await
        .unwrap();
    let client = client(SessionKind::Api, IP);
    for (pin, fits) in [(GUESSED_PIN, false), (PIN, true)] {
        let shown = PinShown {
            pin,
            device_token: token,
        };
        let login = by_email(till);
        let tried = service.sign_in_with_pin(&Resolved::None, &login, shown, &client);
        assert_eq!(tried.await.is_ok(), fits);
    }
    let acme = named(service, "acme").await.unwrap();
    let mail = ask(test, Some("acme"), till, Way::Code).await.unwrap();
    let (_, code) = codes(&mail).remove(0);
    secrets.plant_digits("a one-time code", &code);
    let address = till.parse().unwrap();
    let proof = service.verify_code(&acme, &address, &code, None).await;
    secrets.plant_token("a proof", proof.unwrap().reset_token.expose());
    let mail = ask(test, Some("acme"), till, Way::Link).await.unwrap();
    let text = mail.text.as_deref().unwrap();
    let token = link_token(text, "/reset-password/").unwrap();
    secrets.plant_token("a reset token", &token);
    let reset = service.reset_password(&token, CHANGED, None, Locale::En, None);
    reset.await.unwrap();
    let caller = Caller {
        principal: Some(ada),
        tenant: &acme,
        ip: None,
    };
    secrets.plant("an Idempotency-Key", "zq-planted-key-0420");
    secrets.plant("a kept answer", "zq-planted-answer-0421");
    let once = service.begin_once(&caller, "zq-planted-key-0420", PLANTED);
    let Once::First(doing) = once.await.unwrap() else {
        panic!("nothing was asked before");
    };
    let answer = b"{\"password\":\"zq-planted-answer-0421\"}";
    service.keep_answer(doing, answer).await.unwrap();
}

/// Exchanges every key, and looks out for each that there is meanwhile.
async fn exchange_keys(test: &TestService, secrets: &mut Secrets) {
    plant_seeds(test, secrets).await;
    test.service.rotate_signing_key().await.unwrap();
    let sealed_anew = test.service.rotate_sealing_key(|_, _| ()).await.unwrap();
    assert!(sealed_anew.resealed > 0);
    plant_seeds(test, secrets).await;
    test.service.replace_signing_key().await.unwrap();
    plant_seeds(test, secrets).await;
}

async fn plant_seeds(test: &TestService, secrets: &mut Secrets) {
    let control = test.control().open().await.unwrap();
    let mut tx = control.read().await.unwrap();
    let keys = tx.keys().list_data_keys().await.unwrap();
    let open = |key: &SealedDataKey| DataKey::open(key.id, &key.sealed, test.master()).unwrap();
    let sealer = Sealer::new(&keys.iter().map(open).collect::<Vec<_>>()).unwrap();
    for key in tx.keys().list_signing_keys().await.unwrap() {
        let Some(seed) = key.sealed_seed else {
            continue;
        };
        let context = format!("signing:{}", key.kid);
        let seed = sealer.open(&seed, context.as_bytes()).unwrap();
        secrets
            .octets
            .push(("a signing key", seed.expose().clone()));
    }
    drop(tx);
    control.close().await;
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
    use_staffs_secrets(test, &ada, secrets).await;
    let hook = NewWebhook {
        url: "http://127.0.0.1:9/".to_owned(),
        events: Vec::new(),
        description: None,
    };
    let (webhook, secret) = service.add_webhook(&hook).await.unwrap();
    secrets.plant("a webhook's secret", secret.expose());
    let octets = secret.expose().strip_prefix("whsec_").unwrap();
    let octets = base64::prelude::BASE64_STANDARD.decode(octets).unwrap();
    secrets.octets.push(("a webhook's secret", octets));
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

async fn no_secret_is_written_or_logged(options: Options) {
    let log = Log::default();
    let writer = log.clone();
    // Of several tests in one process the first one's log gets everything.
    let listening = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .try_init()
        .is_ok();
    let sessions = options.sessions;
    let test = TestService::start(options).await.unwrap();
    let mut secrets = Secrets::default();
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
    secrets.octets.push(("the master key", octets));
    use_everything(&test, &mut secrets).await;
    exchange_keys(&test, &mut secrets).await;

    let rows = test.control().dump().await.unwrap().join("\n");
    assert!(rows.contains("acme"), "the rows were read");
    secrets.look("the registry", rows.as_bytes());
    secrets.look_in_files(test.data_dir(), &test.mail_dir());
    sessions_are_read(&test, sessions, &secrets).await;
    let logged = log.0.lock().unwrap().clone();
    assert_eq!(logged.is_empty(), !listening);
    secrets.look("the log", &logged);
    // The same eyes do see what is there.
    let mut seen = Secrets::default();
    seen.plant("the slug", "acme");
    let looked = std::panic::catch_unwind(|| seen.look("the registry", rows.as_bytes()));
    assert!(looked.is_err());
    let mut seen = Secrets::default();
    seen.plant_digits("a number", "123456");
    for (text, there) in [
        ("7123456", false),
        ("x.123456Z", false),
        ("is 123456,", true),
    ] {
        let looked = std::panic::catch_unwind(|| seen.look("a text", text.as_bytes()));
        assert_eq!(looked.is_err(), there, "{text}");
    }
    assert_ne!(OTHER, PLANTED);
}

/// Sessions are in one of the places that were searched, or are searched here; and they are there.
async fn sessions_are_read(test: &TestService, driver: SessionDriver, secrets: &Secrets) {
    match driver {
        SessionDriver::Database => {
            let there = test.control().number("SELECT COUNT(*) FROM sessions");
            assert!(there.await.unwrap() > 0);
        }
        SessionDriver::Redis => {
            let contents = test.redis().unwrap().contents().unwrap();
            secrets.look("Redis", &contents);
            let of_sessions = contents.windows(3).filter(|part| part == b":s:");
            assert!(of_sessions.count() > 0, "no session is in Redis");
        }
        SessionDriver::File => {
            let folder = test.data_dir().join("sessions");
            assert!(count_below(&folder) > 0, "no session is in a file");
        }
    }
}

fn count_below(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap();
    let count = |path: std::path::PathBuf| {
        let is_session = path
            .extension()
            .is_some_and(|extension| extension == "json");
        if path.is_dir() {
            count_below(&path)
        } else {
            usize::from(is_session)
        }
    };
    entries.map(|entry| count(entry.unwrap().path())).sum()
}

on_each_session_driver!(no_secret_is_written_or_logged);
