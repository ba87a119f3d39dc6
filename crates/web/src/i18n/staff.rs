//! Texts of running a tenant's people.

super::texts! {
    /// Texts of running a tenant's people.
    StaffTexts {
        title: "People" | "Personen";
        lead: "Everybody who can get in at {tenant}." | "Alle, die sich bei {tenant} anmelden können.";
        add: "Add somebody" | "Person hinzufügen";
        name: "Name" | "Name";
        role: "Role" | "Rolle";
        state: "Status" | "Status";
        last_login: "Last sign-in" | "Letzte Anmeldung";
        you: "You" | "Sie";
        active: "Active" | "Aktiv";
        invited: "Invited" | "Eingeladen";
        disabled: "Disabled" | "Gesperrt";
        must_change: "New password due" | "Neues Passwort fällig";
        pages: "Pages of the list" | "Seiten der Liste";
        first: "First page" | "Erste Seite";
        more: "Next page" | "Nächste Seite";
        back: "People" | "Personen";
        new_title: "Add somebody" | "Person hinzufügen";
        new_lead: "They can get in at {tenant} as soon as they have a password." |
            "Sobald ein Passwort gewählt ist, ist die Anmeldung bei {tenant} möglich.";
        full_name: "Name" | "Name";
        username: "Username" | "Benutzername";
        username_hint: "To sign in with, instead of the address. It can be left out." |
            "Für die Anmeldung statt der Adresse. Kann leer bleiben.";
        way: "First password" | "Erstes Passwort";
        way_link: "Mail a link" | "Link senden";
        way_link_about: "The person chooses a password by a link that is good for seven days." |
            "Die Person wählt ihr Passwort über einen Link, der sieben Tage gilt.";
        way_generated: "Show me one" | "Passwort anzeigen";
        way_generated_about: "You hand over a password that must be changed at the first sign-in." |
            "Sie übergeben ein Passwort, das bei der ersten Anmeldung geändert werden muss.";
        create: "Add" | "Hinzufügen";
        role_member: "Uses the product." | "Nutzt das Produkt.";
        role_admin: "Runs the people too, but no owners." | "Verwaltet auch Personen, aber keine Inhaber.";
        role_owner: "May do everything here." | "Darf hier alles.";
        generated: "The first password" | "Das erste Passwort";
        generated_about: "Shown this once. Hand it over in person or by phone; it must be changed at the first sign-in." |
            "Wird nur dieses eine Mal gezeigt. Übergeben Sie es persönlich oder am Telefon; bei der ersten Anmeldung muss es geändert werden.";
        profile: "Profile" | "Profil";
        email_own: "Change your own address in your account." | "Ihre eigene Adresse ändern Sie in Ihrem Konto.";
        save: "Save" | "Speichern";
        access: "Access" | "Zugang";
        link: "Mail the link again" | "Link erneut senden";
        link_about: "A new link to choose a password, good for seven days. The one before stops working." |
            "Ein neuer Link für die Wahl des Passworts, sieben Tage gültig. Der vorige gilt dann nicht mehr.";
        unlock: "Lift the lock" | "Sperre aufheben";
        unlock_about: "Lets this person try again at once after too many wrong attempts." |
            "Nach zu vielen Fehlversuchen kann sich diese Person sofort wieder anmelden.";
        done_unlocked: "This person can try again." | "Diese Person kann es wieder versuchen.";
        sessions: "End sessions" | "Sitzungen beenden";
        sessions_about: "Signs this person out everywhere." | "Meldet diese Person überall ab.";
        disable: "Disable" | "Sperren";
        disable_about: "Nobody gets in with this account until you enable it again. Nothing is lost." |
            "Mit diesem Konto kommt niemand hinein, bis Sie es wieder freigeben. Nichts geht verloren.";
        enable: "Enable" | "Freigeben";
        enable_about: "This account opens again with its password." | "Dieses Konto öffnet sich wieder mit seinem Passwort.";
        remove: "Remove" | "Entfernen";
        remove_about: "Takes this person out for good, with everything that lets them in." |
            "Entfernt diese Person endgültig, mit allem, was ihr Zugang gibt.";
        remove_sure: "Remove for good" | "Endgültig entfernen";
        remove_open: "Remove this person…" | "Diese Person entfernen …";
        facts: "Details" | "Angaben";
        id: "Id" | "Id";
        created: "Added" | "Hinzugefügt";
        above: "This person may do more than you. Only an owner can change that." |
            "Diese Person darf mehr als Sie. Nur ein Inhaber kann daran etwas ändern.";
        done_created: "{name} is added." | "{name} ist hinzugefügt.";
        done_invited: "{name} is added. A link to choose a password is on its way to {email}." |
            "{name} ist hinzugefügt. Ein Link für die Wahl des Passworts ist an {email} unterwegs.";
        done_saved: "The changes are saved." | "Die Änderungen sind gespeichert.";
        done_linked: "A new link is on its way to {email}." | "Ein neuer Link ist an {email} unterwegs.";
        done_sessions: "This person is signed out everywhere." | "Diese Person ist überall abgemeldet.";
        done_disabled: "The account is disabled." | "Das Konto ist gesperrt.";
        done_enabled: "The account is enabled again." | "Das Konto ist wieder freigegeben.";
        done_removed: "The person is removed." | "Die Person ist entfernt.";
        last_owner: "One owner who can get in has to stay. Make somebody else an owner first." |
            "Ein Inhaber mit Zugang muss bleiben. Machen Sie zuerst jemand anderen zum Inhaber.";
        oneself: "You can’t do this to your own account. Ask another owner or admin." |
            "Das geht mit dem eigenen Konto nicht. Bitten Sie einen anderen Inhaber oder Admin.";
        has_password: "This person has a password already." | "Diese Person hat schon ein Passwort.";
    }
}
