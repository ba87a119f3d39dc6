//! Texts of the dashboard.

super::texts! {
    /// Texts of the dashboard.
    DashboardTexts {
        page: "Dashboard" | "Übersicht";
        greeting: "Hello, {name}" | "Guten Tag, {name}";
        lead: "Signed in to {tenant}" | "Angemeldet bei {tenant}";
        lead_platform: "Signed in as a platform admin" | "Angemeldet als Plattform-Admin";
        you: "You" | "Ihr Konto";
        name: "Name" | "Name";
        username: "Username" | "Benutzername";
        role: "Role" | "Rolle";
        tenant: "Organisation" | "Organisation";
        code: "Code" | "Code";
        host: "Address" | "Adresse";
        security: "Sign-in" | "Anmeldung";
        last_login: "Last sign-in" | "Letzte Anmeldung";
        first_login: "This is your first one" | "Dies ist Ihre erste";
        sessions: "Active sessions" | "Aktive Sitzungen";
        sessions_only: "Only this one" | "Nur diese";
        change_password: "Change password" | "Passwort ändern";
        open_console: "Open the console" | "Konsole öffnen";
        next_title: "Your product starts here" | "Hier beginnt Ihr Produkt";
        next_lead: "People, sign-in and separation between organisations are taken care of. Put your own application in place of this page." |
            "Personen, Anmeldung und Trennung der Organisationen sind erledigt. An die Stelle dieser Seite tritt Ihre eigene Anwendung.";
        next_docs: "Read the API description" | "API-Beschreibung lesen";
    }
}
