//! Texts of changing the user of a tenant's database by a link.

super::texts! {
    /// Texts of changing the user of a tenant's database.
    CredentialsTexts {
        setup_title: "New database access" | "Neuer Datenbankzugang";
        setup_lead: "A new user and password for the database of {tenant}." |
            "Ein neuer Benutzer mit neuem Passwort für die Datenbank von {tenant}.";
        steps_title: "What happens" | "Was passiert";
        step_now: "Opening this page changes nothing. You can come back to it." |
            "Das Öffnen dieser Seite ändert nichts. Sie können später wiederkommen.";
        step_new: "With the button, a new user is switched on and tried out. The next page shows its password, once." |
            "Mit dem Knopf wird ein neuer Benutzer eingeschaltet und geprüft. Die nächste Seite zeigt sein Passwort, einmal.";
        step_old: "The old user goes on working for {time}, so you can change over without an outage." |
            "Der alte Benutzer funktioniert noch {time} weiter. So stellen Sie ohne Ausfall um.";
        step_end: "Then the old user is switched off and its connections end." |
            "Danach wird der alte Benutzer abgeschaltet, und seine Verbindungen enden.";
        setup_submit: "Create new access" | "Neuen Zugang erstellen";
        setup_hint: "Have the place ready where your application keeps its secrets." |
            "Halten Sie den Ort bereit, an dem Ihre Anwendung ihre Geheimnisse aufbewahrt.";
        busy: "An earlier change is still under way. Nothing was used up; try again in {wait}." |
            "Eine frühere Umstellung läuft noch. Nichts wurde verbraucht; versuchen Sie es in {wait} noch einmal.";
        shown_title: "Your new database access" | "Ihr neuer Datenbankzugang";
        shown_lead: "It works from now on." | "Er gilt ab sofort.";
        shown_once: "This page is shown only once. Copy the password before you leave." |
            "Diese Seite sehen Sie nur einmal. Kopieren Sie das Passwort, bevor Sie sie verlassen.";
        access: "Access" | "Zugang";
        host: "Host" | "Host";
        port: "Port" | "Port";
        database: "Database" | "Datenbank";
        schema: "Schema" | "Schema";
        user: "User" | "Benutzer";
        password: "Password" | "Passwort";
        old_title: "Until when the old user works" | "Wie lange der alte Benutzer gilt";
        old_until: "goes on working until {time}. Then it is switched off and its connections end." |
            "funktioniert noch bis {time}. Danach wird er abgeschaltet, und seine Verbindungen enden.";
        clients_title: "For your application" | "Für Ihre Anwendung";
        clients_lead: "The same access, written as each client takes it." |
            "Derselbe Zugang, so geschrieben, wie jeder Client ihn erwartet.";
        environment: "Environment variables" | "Umgebungsvariablen";
        gone_shown: "If you have seen the new access here, it works. Its password can’t be shown a second time." |
            "Wenn Sie den neuen Zugang hier gesehen haben, gilt er. Sein Passwort lässt sich kein zweites Mal zeigen.";
        gone_ask: "If you don’t have it, ask those who run the platform for a new link." |
            "Wenn Sie ihn nicht haben, bitten Sie die Betreiber der Plattform um einen neuen Link.";
    }
}
