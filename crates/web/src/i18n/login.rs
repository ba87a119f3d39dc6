//! Texts of the sign-in page.

super::texts! {
    /// Texts of the sign-in page.
    LoginTexts {
        page: "Sign in to {brand}" | "Bei {brand} anmelden";
        title: "Sign in" | "Anmelden";
        lead: "Welcome back to {brand}" | "Willkommen zurück bei {brand}";
        lead_platform: "Use the address you are registered with. We find your organisation." |
            "Melden Sie sich mit Ihrer Adresse an. Ihre Organisation finden wir für Sie.";
        login: "E-mail or username" | "E-Mail oder Benutzername";
        forgot: "Forgot your password?" | "Passwort vergessen?";
        no_account: "New here?" | "Neu hier?";
        register: "Create an account" | "Konto erstellen";
        registered: "Your address is confirmed and your account is ready. Sign in with it." |
            "Ihre Adresse ist bestätigt und Ihr Konto ist bereit. Melden Sie sich damit an.";
        address_changed: "Your address is changed. Sign in with the new one." |
            "Ihre Adresse ist geändert. Melden Sie sich mit der neuen an.";
        submit: "Sign in" | "Anmelden";
        session_ended: "Your session has ended. Please sign in again." |
            "Ihre Sitzung ist beendet. Bitte melden Sie sich erneut an.";
        signed_out: "You are signed out." | "Sie sind abgemeldet.";
        password_set: "Your password is set. You can sign in with it now." |
            "Ihr Passwort ist gespeichert. Sie können sich jetzt damit anmelden.";
        wrong: "The address, username or password is not right. Check them and try again." |
            "Adresse, Benutzername oder Passwort stimmen nicht. Bitte prüfen Sie Ihre Eingaben.";
        too_many: "Too many attempts. Please try again in {wait}." |
            "Zu viele Versuche. Bitte versuchen Sie es in {wait} noch einmal.";
    }
}
