//! Texts of the sign-in page.

use tenantry_core::session::EndReason;

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
        ended_logout: "You have signed out. Please sign in again." |
            "Sie haben sich abgemeldet. Bitte melden Sie sich erneut an.";
        ended_revoked: "You ended this session from another one. Please sign in again." |
            "Sie haben diese Sitzung von einer anderen aus beendet. Bitte melden Sie sich erneut an.";
        ended_admin: "An administrator ended your session, or changed what you may do. Please sign in again." |
            "Ihre Sitzung wurde von der Verwaltung beendet, oder Ihre Rechte wurden geändert. Bitte melden Sie sich erneut an.";
        ended_reuse: "Somebody else may have had a copy of your session, so we ended it. Please sign in again, and change your password if you are in doubt." |
            "Vielleicht hatte jemand anderes eine Kopie Ihrer Sitzung, darum haben wir sie beendet. Bitte melden Sie sich erneut an und ändern Sie im Zweifel Ihr Passwort.";
        ended_password: "Your password was changed, and your sessions ended with it. Please sign in with the new one." |
            "Ihr Passwort wurde geändert, und Ihre Sitzungen sind damit beendet. Bitte melden Sie sich mit dem neuen an.";
        ended_address: "Your address was changed, and your other sessions ended with it. Please sign in with the new one." |
            "Ihre Adresse wurde geändert, und Ihre anderen Sitzungen sind damit beendet. Bitte melden Sie sich mit der neuen an.";
        ended_tenant: "Everybody here was signed out. Please sign in again." |
            "Hier wurden alle abgemeldet. Bitte melden Sie sich erneut an.";
        ended_limit: "You signed in elsewhere, and only so many sessions may be open at once. Please sign in again." |
            "Sie haben sich anderswo angemeldet, und nur eine begrenzte Zahl von Sitzungen ist zugleich möglich. Bitte melden Sie sich erneut an.";
        ended_closed: "Your session has ended. Once the organisation is back, please sign in again." |
            "Ihre Sitzung ist beendet. Sobald die Organisation wieder erreichbar ist, melden Sie sich bitte erneut an.";
        signed_out: "You are signed out." | "Sie sind abgemeldet.";
        password_set: "Your password is set. You can sign in with it now." |
            "Ihr Passwort ist gespeichert. Sie können sich jetzt damit anmelden.";
        wrong: "The address, username or password is not right. Check them and try again." |
            "Adresse, Benutzername oder Passwort stimmen nicht. Bitte prüfen Sie Ihre Eingaben.";
        too_many: "Too many attempts. Please try again in {wait}." |
            "Zu viele Versuche. Bitte versuchen Sie es in {wait} noch einmal.";
    }
}

impl LoginTexts {
    /// That a session ended, and why, where that is known.
    pub const fn ended(&self, why: Option<EndReason>) -> &'static str {
        match why {
            None => self.session_ended,
            Some(EndReason::Logout) => self.ended_logout,
            Some(EndReason::Revoked) => self.ended_revoked,
            Some(EndReason::Admin) => self.ended_admin,
            Some(EndReason::Reuse) => self.ended_reuse,
            Some(EndReason::Password) => self.ended_password,
            Some(EndReason::Address) => self.ended_address,
            Some(EndReason::Tenant) => self.ended_tenant,
            Some(EndReason::Limit) => self.ended_limit,
        }
    }
}
