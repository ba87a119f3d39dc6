//! German, formal address.

use super::{
    AddressChanged, AdminSetup, Already, Application, Changed, Code, Common, Credentials, Locked,
    NewAddress, Reset, Setup, Texts, Verify,
};
use crate::when::Span;

const MONTHS: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];

fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

pub(super) static TEXTS: Texts = Texts {
    moment: |m| {
        let month = MONTHS.get(m.month).copied().unwrap_or_default();
        format!(
            "{}. {month} {}, {:02}:{:02} Uhr (UTC)",
            m.day, m.year, m.hour, m.minute
        )
    },
    span: |span| match span {
        Span::Minutes(number) => count(number, "Minute", "Minuten"),
        Span::Hours(number) => count(number, "Stunde", "Stunden"),
        Span::Days(number) => count(number, "Tag", "Tage"),
    },
    common: Common {
        hello: |name| match name {
            Some(name) => format!("Guten Tag {name},"),
            None => "Guten Tag,".to_owned(),
        },
        or_copy: "Oder kopieren Sie diese Adresse in Ihren Browser:",
        sent_to: |platform, to| {
            format!("Diese Nachricht wurde von {platform} automatisch an {to} gesendet.")
        },
        until: |moment| format!("Der Link funktioniert einmal und gilt bis {moment}."),
    },
    setup: Setup {
        subject: |tenant| format!("Richten Sie Ihr Konto bei {tenant} ein"),
        title: "Wählen Sie Ihr Passwort",
        intro: |tenant| {
            format!(
                "für Sie wurde ein Konto bei {tenant} angelegt. \
                 Sobald Sie ein Passwort gewählt haben, können Sie es nutzen."
            )
        },
        button: "Passwort wählen",
        renew: |tenant| {
            format!(
                "Ist er abgelaufen, erhalten Sie einen neuen von der Person, \
                 die {tenant} verwaltet."
            )
        },
        sign_in: |to| format!("Mit Ihrem Passwort melden Sie sich künftig als {to} hier an:"),
    },
    admin_setup: AdminSetup {
        subject: |platform| format!("Richten Sie Ihr Administratorkonto bei {platform} ein"),
        title: "Wählen Sie Ihr Administratorpasswort",
        intro: |platform| {
            format!(
                "Sie wurden zur Administration von {platform} berechtigt. \
                 Sobald Sie ein Passwort gewählt haben, können Sie Ihr Konto nutzen."
            )
        },
        button: "Passwort wählen",
        keep: "Bitte leiten Sie diese Nachricht nicht weiter: \
               Wer den Link zuerst benutzt, erhält das Konto.",
    },
    reset: Reset {
        subject_one: |tenant| format!("Setzen Sie Ihr Passwort bei {tenant} zurück"),
        subject_many: |platform| format!("Setzen Sie Ihr Passwort bei {platform} zurück"),
        title: "Passwort zurücksetzen",
        intro_one: |tenant| {
            format!(
                "für Ihr Konto bei {tenant} wurde ein neues Passwort angefordert, \
                 vermutlich von Ihnen selbst."
            )
        },
        intro_many: "für diese Adresse wurde ein neues Passwort angefordert, vermutlich von Ihnen \
                     selbst. Zu ihr gehören mehrere Konten; jeder der folgenden Links gilt nur \
                     für eines davon.",
        button: "Neues Passwort wählen",
        valid_one: |span| format!("Der Link funktioniert einmal und ist {span} gültig."),
        valid_many: |span| format!("Jeder Link funktioniert einmal und ist {span} gültig."),
        ignore: "Wenn Sie das nicht waren, müssen Sie nichts tun: \
                 Ihr Passwort bleibt, wie es ist.",
    },
    code: Code {
        subject_one: |tenant| format!("Ihr Code für ein neues Passwort bei {tenant}"),
        subject_many: |platform| format!("Ihre Codes für ein neues Passwort bei {platform}"),
        title: "Ihr Code für ein neues Passwort",
        intro_one: |tenant| {
            format!(
                "für Ihr Konto bei {tenant} wurde ein neues Passwort angefordert, \
                 vermutlich von Ihnen selbst."
            )
        },
        intro_many: "für diese Adresse wurde ein neues Passwort angefordert, vermutlich von Ihnen \
                     selbst. Zu ihr gehören mehrere Konten; jeder der folgenden Codes gilt nur \
                     für eines davon.",
        enter: "Geben Sie den Code hier ein:",
        button: "Code eingeben",
        valid_one: |span| format!("Der Code funktioniert einmal und ist {span} gültig."),
        valid_many: |span| format!("Jeder Code funktioniert einmal und ist {span} gültig."),
        keep: "Verraten Sie ihn niemandem, auch nicht jemandem, der sich als Support ausgibt.",
    },
    verify: Verify {
        subject: |tenant| format!("Bestätigen Sie Ihre Adresse für {tenant}"),
        title: "Adresse bestätigen",
        intro: |tenant, username| {
            format!(
                "jemand, vermutlich Sie selbst, hat sich mit dieser Adresse bei {tenant} als \
                 „{username}“ registriert. Bestätigen Sie das, damit das Konto entsteht."
            )
        },
        button: "Adresse bestätigen",
        ignore: "Wenn Sie diesen Namen nicht gewählt haben, folgen Sie dem Link nicht: Das Konto hätte \
                 ein fremdes Passwort. Ohne den Link entsteht keines.",
    },
    already: Already {
        subject: |tenant| format!("Sie haben schon ein Konto bei {tenant}"),
        title: "Sie haben schon ein Konto",
        intro: |tenant| {
            format!(
                "jemand, vermutlich Sie selbst, wollte sich mit dieser Adresse bei {tenant} \
                 registrieren. Zu ihr gehört dort schon ein Konto; es wurde nichts geändert."
            )
        },
        sign_in: "Anmelden",
        forgot: "Passwort vergessen? Hier wählen Sie ein neues:",
        not_you: "Wenn Sie das nicht waren, müssen Sie nichts tun.",
    },
    new_address: NewAddress {
        subject: |tenant| format!("Bestätigen Sie Ihre neue Adresse bei {tenant}"),
        title: "Neue Adresse bestätigen",
        intro: |tenant| {
            format!(
                "diese Adresse soll künftig zu einem Konto bei {tenant} gehören. \
                 Bestätigen Sie sie, dann wird das Konto umgestellt."
            )
        },
        button: "Adresse bestätigen",
        until_then: "Bis dahin behält das Konto seine bisherige Adresse.",
        ignore: "Wenn Sie das nicht veranlasst haben, müssen Sie nichts tun: \
                 Ohne Sie ändert sich nichts.",
    },
    address_changed: AddressChanged {
        subject: |tenant| format!("Ihre Adresse bei {tenant} wurde geändert"),
        title: "Ihre Adresse wurde geändert",
        intro: |tenant, moment| {
            format!(
                "Ihr Konto bei {tenant} hat am {moment} eine andere E-Mail-Adresse bekommen. \
                 Damit melden Sie sich künftig an; an diese hier geht dazu keine Mail mehr."
            )
        },
        was_you: "Wenn Sie das waren, ist alles in Ordnung.",
        not_you: |tenant| {
            format!(
                "Wenn Sie davon nichts wissen, sagen Sie es sofort der Person, die {tenant} \
                 verwaltet: Sie kann Ihnen Ihr Konto zurückgeben."
            )
        },
        button: "Zur Anmeldeseite gehen",
    },
    changed: Changed {
        subject: |tenant| format!("Ihr Passwort bei {tenant} wurde geändert"),
        title: "Ihr Passwort wurde geändert",
        intro: |tenant, moment| {
            format!(
                "das Passwort Ihres Kontos bei {tenant} wurde am {moment} geändert. \
                 Auf Ihren Geräten müssen Sie sich eventuell neu anmelden."
            )
        },
        was_you: "Wenn Sie das waren, müssen Sie nichts weiter tun.",
        not_you: |tenant| {
            format!(
                "Wenn Sie das nicht waren, wählen Sie bitte sofort über „Passwort vergessen?“ auf \
                 der Anmeldeseite ein neues Passwort und informieren Sie die Person, die {tenant} \
                 verwaltet."
            )
        },
        button: "Zur Anmeldeseite",
    },
    locked: Locked {
        subject: |tenant| format!("Ihr Konto bei {tenant} ist gesperrt"),
        title: "Ihr Konto ist gesperrt",
        intro: |tenant, moment| {
            format!(
                "nach zu vielen fehlgeschlagenen Anmeldeversuchen wurde Ihr Konto bei {tenant} am \
                 {moment} gesperrt. Keiner dieser Versuche war erfolgreich."
            )
        },
        was_you: |tenant| {
            format!(
                "Wenn Sie das waren, wählen Sie bitte über „Passwort vergessen?“ auf der \
                 Anmeldeseite ein neues Passwort. Hilft das nicht, wenden Sie sich an die Person, \
                 die {tenant} verwaltet."
            )
        },
        not_you: "Wenn Sie das nicht waren, versucht möglicherweise jemand, Ihr Passwort zu \
                  erraten. Ein langes Passwort, das Sie nirgends sonst verwenden, schützt Sie davor.",
        button: "Zur Anmeldeseite",
    },
    credentials: Credentials {
        subject: |tenant| format!("Neuer Datenbankzugang für {tenant}"),
        title: "Neuen Datenbankzugang erhalten",
        intro: |tenant| {
            format!(
                "die Datenbank von {tenant} kann einen neuen Benutzer mit neuem Passwort für Ihre \
                 Anwendungen bekommen. Der Link unten legt beides an und zeigt es Ihnen, einmal."
            )
        },
        button: "Neuen Zugang erhalten",
        nothing_yet: "Bis Sie ihn benutzen, ändert sich nichts. Danach gilt der alte Zugang noch \
                      eine Weile weiter, damit Ihre Anwendungen umgestellt werden können.",
        keep: "Bitte leiten Sie diese Nachricht nicht weiter: \
               Wer den Link benutzt, sieht das neue Passwort.",
    },
    application: Application {
        confirm_subject: |platform| format!("Bestätigen Sie Ihre Anfrage an {platform}"),
        confirm_title: "Bestätigen Sie Ihre Adresse",
        confirm_intro: |platform| {
            format!(
                "mit dieser Adresse wurde eine eigene Organisation auf {platform} angefragt, \
                 hoffentlich von Ihnen. Bevor Sie das bestätigen, geschieht nichts."
            )
        },
        confirm_button: "Bestätigen",
        not_you: "Wenn Sie das nicht waren, müssen Sie nichts tun.",
        wished: "Die angefragte Adresse:",
        rejected_subject: |platform| format!("Ihre Anfrage an {platform}"),
        rejected_title: "Ihre Anfrage wurde abgelehnt",
        rejected_intro: |platform| {
            format!("die Betreiber von {platform} haben Ihre Anfrage geprüft und abgelehnt.")
        },
        reason: "Sie nennen diesen Grund:",
    },
};
