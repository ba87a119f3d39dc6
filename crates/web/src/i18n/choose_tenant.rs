//! Texts of the page where one of several tenants is chosen.

super::texts! {
    /// Texts of the page where one of several tenants is chosen.
    ChooseTenantTexts {
        title: "Where to?" | "Wohin möchten Sie?";
        lead: "You belong to more than one organisation. Choose the one you want to open." |
            "Sie gehören zu mehreren Organisationen. Wählen Sie aus, welche Sie öffnen möchten.";
        list: "Your organisations" | "Ihre Organisationen";
        other: "Sign in as someone else" | "Mit einem anderen Konto anmelden";
    }
}
