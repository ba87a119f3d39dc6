//! Texts of the page that describes the API.

super::texts! {
    /// Texts of the page that describes the API.
    DocsTexts {
        title: "API" | "API";
        lead: "Everything the pages do, programs can do too: JSON over HTTP, errors as problem details (RFC 9457)." |
            "Was die Seiten können, können auch Programme: JSON über HTTP, Fehler als Problem Details (RFC 9457).";
        version: "Version {version}" | "Version {version}";
        machine: "OpenAPI 3.1 as JSON" | "OpenAPI 3.1 als JSON";
        contents: "Contents" | "Inhalt";
        first_title: "Signing in" | "Anmelden";
        first_lead: "Ask for an access token and send it with every call. It is good for ten minutes." |
            "Holen Sie ein Zugriffstoken und senden Sie es mit jedem Aufruf. Es gilt zehn Minuten.";
        parameters: "Parameters" | "Parameter";
        request: "Body" | "Body";
        response: "Answer" | "Antwort";
        refusals: "Can refuse with" | "Mögliche Fehler";
        example: "Example" | "Beispiel";
        try_it: "Try it" | "Ausprobieren";
        try_token: "Access token" | "Zugriffstoken";
        try_token_hint: "Signing in below fills this in. It stays on this page." |
            "Die Anmeldung weiter unten trägt es ein. Es bleibt auf dieser Seite.";
        try_address: "Address" | "Adresse";
        send: "Send" | "Senden";
        sending: "Sending…" | "Wird gesendet …";
        try_failed: "The server can’t be reached." | "Der Server ist nicht erreichbar.";
        required: "required" | "erforderlich";
        optional: "optional" | "optional";
        no_body: "No body" | "Kein Body";
        problems: "Problem codes" | "Fehlercodes";
        problems_lead: "Programs tell errors apart by code." |
            "Programme unterscheiden Fehler am Code.";
        code: "Code" | "Code";
        status: "Status" | "Status";
        meaning: "Meaning" | "Bedeutung";
        empty: "Nothing is described yet." | "Noch ist nichts beschrieben.";
        public: "Everyone" | "Alle";
        signed_in: "Signed in" | "Angemeldete";
        tenant_admin: "Owners and admins" | "Inhaber und Admins";
        platform_admin: "Platform admins" | "Plattform-Admins";
    }
}
