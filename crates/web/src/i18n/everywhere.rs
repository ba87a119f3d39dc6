//! Texts on every page.

super::texts! {
    /// Texts on every page.
    CommonTexts {
        skip: "Skip to the content" | "Zum Inhalt springen";
        email: "E-mail" | "E-Mail";
        password: "Password" | "Passwort";
        show: "Show" | "Anzeigen";
        show_label: "Show the password" | "Passwort anzeigen";
        copy: "Copy" | "Kopieren";
        copied: "Copied" | "Kopiert";
        sign_in: "Sign in" | "Anmelden";
        sign_out: "Sign out" | "Abmelden";
        home: "Back to the start page" | "Zur Startseite";
        runs_on: "Runs on {product}" | "Läuft mit {product}";
        error: "Error" | "Fehler";
        yes: "Yes" | "Ja";
        no: "No" | "Nein";
        request_id: "Request number" | "Anfragenummer";
        wait_until: "You can try again in {wait}." | "In {wait} können Sie es noch einmal versuchen.";
        none: "None" | "Keine";
        never: "Never" | "Noch nie";
        signed_in_as: "Signed in as" | "Angemeldet als";
        navigation: "Sections" | "Bereiche";
    }
}
