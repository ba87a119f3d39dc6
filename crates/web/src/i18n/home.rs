//! Texts of the platform's own front page.

super::texts! {
    /// Texts of the platform's own front page.
    HomeTexts {
        title: "Every organisation behind its own door" | "Jede Organisation hinter ihrer eigenen Tür";
        lead: "This is {host}. Organisations on {product} have an address, people and a sign-in page of their own." |
            "Dies ist {host}. Organisationen auf {product} haben eine eigene Adresse, eigene Personen und eine eigene Anmeldeseite.";
        know: "You know your organisation’s address?" | "Sie kennen die Adresse Ihrer Organisation?";
        know_how: "Put its short name in front of this host:" |
            "Setzen Sie ihren Kurznamen vor diesen Host:";
        example: "your-organisation" | "ihre-organisation";
        sign_in: "Sign in with your e-mail" | "Mit E-Mail anmelden";
        console: "Open the console" | "Konsole öffnen";
        docs: "API description" | "API-Beschreibung";
    }
}
