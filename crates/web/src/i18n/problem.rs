//! Problems in words: the title and detail of the API's problem details, and the page that a person
//! sees for the same problem.

use tenantry_core::Locale;

/// What to say about a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProblemText {
    /// The kind of problem in a few words; `title` of RFC 9457.
    pub title: &'static str,
    /// A sentence about it; `detail` where there is nothing more particular to say.
    pub detail: &'static str,
    /// What to do next. Only pages say it.
    pub next: &'static str,
}

/// Declares the codes, each with its status and its texts in each language.
macro_rules! problems {
    ($($(#[$meta:meta])* $variant:ident = $code:literal, $status:literal {
        $title_en:literal | $title_de:literal;
        $detail_en:literal | $detail_de:literal;
        $next_en:literal | $next_de:literal;
    })+) => {
        /// A kind of problem, as the contract names it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ProblemCode { $($(#[$meta])* $variant,)+ }

        impl ProblemCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code as programs read it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }

            /// What to say in a language.
            pub const fn text(self, locale: Locale) -> ProblemText {
                match (self, locale) {
                    $((Self::$variant, Locale::En) => ProblemText {
                        title: $title_en, detail: $detail_en, next: $next_en,
                    },
                    (Self::$variant, Locale::De) => ProblemText {
                        title: $title_de, detail: $detail_de, next: $next_de,
                    },)+
                }
            }
        }
    };
}

impl ProblemCode {
    /// The code that is written like this.
    pub fn find(code: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|known| known.as_str() == code)
    }
}

problems! {
    /// Fields are missing, unknown, doubled or not valid.
    ValidationFailed = "validation_failed", 422 {
        "Some fields need another look" | "Bitte prüfen Sie Ihre Angaben";
        "One or more fields are missing, unknown or not valid." | "Ein oder mehrere Felder fehlen, sind unbekannt oder nicht gültig.";
        "Go back, correct the fields and send the form again." | "Gehen Sie zurück, korrigieren Sie die Felder und senden Sie das Formular noch einmal.";
    }
    /// The request can't be read at all.
    MalformedRequest = "malformed_request", 400 {
        "The request could not be read" | "Die Anfrage war nicht lesbar";
        "What arrived here is not a request this page understands." | "Was hier ankam, ist keine Anfrage, die diese Seite versteht.";
        "Load the page again and repeat the step." | "Laden Sie die Seite neu und wiederholen Sie den Schritt.";
    }
    /// Address or password do not fit.
    InvalidCredentials = "invalid_credentials", 401 {
        "Sign-in failed" | "Anmeldung fehlgeschlagen";
        "The address, username or password is not right." | "Adresse, Benutzername oder Passwort stimmen nicht.";
        "Check what you typed and sign in again." | "Prüfen Sie Ihre Eingaben und melden Sie sich noch einmal an.";
    }
    /// There is no valid credential.
    AuthenticationRequired = "authentication_required", 401 {
        "Please sign in" | "Bitte melden Sie sich an";
        "Only people who are signed in can see this." | "Das können nur angemeldete Personen sehen.";
        "Sign in, and you will get there." | "Nach der Anmeldung geht es weiter.";
    }
    /// The session was good and has ended.
    SessionStale = "session_stale", 401 {
        "Your session has ended" | "Ihre Sitzung ist beendet";
        "It has run out, or something ended it." | "Sie ist abgelaufen oder wurde beendet.";
        "Sign in again to go on." | "Melden Sie sich erneut an, um fortzufahren.";
    }
    /// A one-time token is unknown, used up or expired.
    TokenInvalid = "token_invalid", 400 {
        "This link is no longer good" | "Dieser Link gilt nicht mehr";
        "It has been used, has run out, or was not copied whole." | "Er wurde schon benutzt, ist abgelaufen oder wurde nicht vollständig kopiert.";
        "Ask for a new one, and use the newest mail you have." | "Fordern Sie einen neuen an und nehmen Sie die neueste Mail.";
    }
    /// A one-time code does not fit.
    OtpInvalid = "otp_invalid", 400 {
        "This code is not right" | "Dieser Code stimmt nicht";
        "It does not fit, has been used, or has run out." | "Er passt nicht, wurde schon benutzt oder ist abgelaufen.";
        "Check the six digits, or ask for a new code." | "Prüfen Sie die sechs Ziffern oder fordern Sie einen neuen Code an.";
    }
    /// No tenant is named where one is needed.
    TenantRequired = "tenant_required", 400 {
        "Which organisation?" | "Welche Organisation?";
        "This needs an organisation, and the request names none." | "Hierfür wird eine Organisation gebraucht, aber die Anfrage nennt keine.";
        "Open the page at your organisation’s own address." | "Öffnen Sie die Seite unter der Adresse Ihrer Organisation.";
    }
    /// Two different tenants are named.
    TenantConflict = "tenant_conflict", 400 {
        "Two organisations at once" | "Zwei Organisationen auf einmal";
        "The request names two different organisations. To be safe, nothing was done." | "Die Anfrage nennt zwei verschiedene Organisationen. Zur Sicherheit wurde nichts getan.";
        "Start again from your organisation’s own address." | "Beginnen Sie noch einmal bei der Adresse Ihrer Organisation.";
    }
    /// The password must be changed before anything else.
    PasswordChangeRequired = "password_change_required", 403 {
        "A new password first" | "Zuerst ein neues Passwort";
        "Your password was given to you by someone else and has to be changed before you go on." | "Ihr Passwort hat jemand anderes vergeben. Ändern Sie es, bevor Sie fortfahren.";
        "Change your password." | "Ändern Sie Ihr Passwort.";
    }
    /// Known, and not allowed.
    Forbidden = "forbidden", 403 {
        "This door stays closed" | "Diese Tür bleibt geschlossen";
        "Your role does not allow this." | "Ihre Rolle erlaubt das nicht.";
        "If you think it should, ask an admin of your organisation." | "Wenn Sie meinen, dass sie es sollte, fragen Sie einen Admin Ihrer Organisation.";
    }
    /// There is no such thing, or none this person may know of.
    NotFound = "not_found", 404 {
        "Nothing here" | "Hier ist nichts";
        "There is no page at this address, or it is not yours to see." | "Unter dieser Adresse gibt es keine Seite, oder sie ist nicht für Sie bestimmt.";
        "Check the address, or begin at the start page." | "Prüfen Sie die Adresse oder beginnen Sie auf der Startseite.";
    }
    /// No tenant goes by this name.
    TenantNotFound = "tenant_not_found", 404 {
        "Nobody lives here" | "Hier wohnt niemand";
        "No organisation goes by this address or name." | "Keine Organisation hat diese Adresse oder diesen Namen.";
        "Check the spelling, or ask the person who gave you the address." | "Prüfen Sie die Schreibweise oder fragen Sie die Person, von der Sie die Adresse haben.";
    }
    /// One of several tenants must be chosen.
    TenantSelectionRequired = "tenant_selection_required", 409 {
        "Choose an organisation" | "Wählen Sie eine Organisation";
        "This account belongs to more than one organisation." | "Dieses Konto gehört zu mehreren Organisationen.";
        "Choose the one you want to open." | "Wählen Sie aus, welche Sie öffnen möchten.";
    }
    /// The address belongs to somebody.
    EmailTaken = "email_taken", 409 {
        "This address is taken" | "Diese Adresse ist vergeben";
        "Someone in this organisation already has this e-mail address." | "Jemand in dieser Organisation hat diese E-Mail-Adresse schon.";
        "Use another address, or sign in with this one." | "Nehmen Sie eine andere Adresse oder melden Sie sich mit dieser an.";
    }
    /// The username belongs to somebody.
    UsernameTaken = "username_taken", 409 {
        "This username is taken" | "Dieser Benutzername ist vergeben";
        "Someone in this organisation already has this username." | "Jemand in dieser Organisation hat diesen Benutzernamen schon.";
        "Choose another one." | "Wählen Sie einen anderen.";
    }
    /// The slug belongs to a tenant.
    SlugTaken = "slug_taken", 409 {
        "This short name is taken" | "Dieser Kurzname ist vergeben";
        "Another organisation already has this short name." | "Eine andere Organisation hat diesen Kurznamen schon.";
        "Choose another one." | "Wählen Sie einen anderen.";
    }
    /// The domain belongs to a tenant.
    DomainTaken = "domain_taken", 409 {
        "This domain is taken" | "Diese Domain ist vergeben";
        "Another organisation already has this domain." | "Eine andere Organisation hat diese Domain schon.";
        "Choose another one." | "Wählen Sie eine andere.";
    }
    /// It does not go together with how things are.
    Conflict = "conflict", 409 {
        "That does not fit any more" | "Das passt nicht mehr";
        "Things have changed in the meantime, or do not allow this now." | "Inzwischen hat sich etwas geändert, oder der Stand lässt das jetzt nicht zu.";
        "Load the page again and look at how things are now." | "Laden Sie die Seite neu und sehen Sie sich den jetzigen Stand an.";
    }
    /// The path has no such method.
    MethodNotAllowed = "method_not_allowed", 405 {
        "Not in this way" | "So geht es nicht";
        "This address exists, but not for this kind of request." | "Diese Adresse gibt es, aber nicht für diese Art von Anfrage.";
        "Begin at the start page." | "Beginnen Sie auf der Startseite.";
    }
    /// The body is larger than allowed.
    PayloadTooLarge = "payload_too_large", 413 {
        "That is too much at once" | "Das ist zu viel auf einmal";
        "What was sent is larger than this page accepts." | "Was gesendet wurde, ist größer, als diese Seite annimmt.";
        "Send less." | "Senden Sie weniger.";
    }
    /// Too many tries.
    RateLimited = "rate_limited", 429 {
        "A short pause, please" | "Bitte eine kurze Pause";
        "There were too many attempts from here or on this account." | "Von hier aus oder bei diesem Konto gab es zu viele Versuche.";
        "Wait a little, then try again." | "Warten Sie ein wenig und versuchen Sie es dann noch einmal.";
    }
    /// More work than the service can take now.
    Busy = "busy", 503 {
        "Very busy right now" | "Gerade ist viel los";
        "More is asked of this service than it can do at once." | "Gerade wird mehr verlangt, als dieser Dienst auf einmal leisten kann.";
        "Wait a moment, then try again." | "Warten Sie einen Moment und versuchen Sie es dann noch einmal.";
    }
    /// The tenant can't be used now.
    TenantUnavailable = "tenant_unavailable", 503 {
        "The lights are out here" | "Hier ist gerade kein Licht";
        "This organisation can’t be reached at the moment. Nothing is lost." | "Diese Organisation ist gerade nicht erreichbar. Es ist nichts verloren.";
        "Try again later. If it lasts, ask the people who run this service." | "Versuchen Sie es später noch einmal. Wenn es anhält, fragen Sie die Betreiber dieses Dienstes.";
    }
    /// Our own failure.
    InternalError = "internal_error", 500 {
        "Something broke on our side" | "Bei uns ist etwas schiefgegangen";
        "It is not your fault, and it has been written down." | "Es liegt nicht an Ihnen und wurde festgehalten.";
        "Try again. If it lasts, tell the people who run this service the request number." | "Versuchen Sie es noch einmal. Wenn es anhält, nennen Sie den Betreibern dieses Dienstes die Anfragenummer.";
    }
}
