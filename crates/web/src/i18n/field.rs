//! What can be wrong with a field.

super::texts! {
    /// What can be wrong with a field, as a sentence to stand beside it.
    FieldTexts {
        required: "Please fill this in." | "Bitte füllen Sie dieses Feld aus.";
        unknown: "There is no such field." | "Dieses Feld gibt es nicht.";
        doubled: "This is there twice." | "Diese Angabe ist doppelt.";
        invalid: "This is not valid." | "Diese Angabe ist nicht gültig.";
        invalid_email: "This is not an e-mail address." | "Das ist keine E-Mail-Adresse.";
        invalid_username: "A username has 2 to 40 letters, digits, dots, hyphens or underscores, and begins with a letter or digit." |
            "Ein Benutzername hat 2 bis 40 Buchstaben, Ziffern, Punkte, Binde- oder Unterstriche und beginnt mit Buchstabe oder Ziffer.";
        invalid_slug: "A slug has 3 to 40 of a-z, 0-9 and single hyphens, begins with a letter and ends with a letter or digit." |
            "Ein Kurzname hat 3 bis 40 Zeichen aus a-z, 0-9 und einzelnen Bindestrichen, beginnt mit einem Buchstaben und endet mit Buchstabe oder Ziffer.";
        reserved: "This name is kept for the service itself." | "Dieser Name ist dem Dienst selbst vorbehalten.";
        taken: "This is taken already." | "Das ist schon vergeben.";
        password_too_short: "Use at least {min} characters." | "Bitte nehmen Sie mindestens {min} Zeichen.";
        password_too_long: "Use at most {max} characters." | "Bitte nehmen Sie höchstens {max} Zeichen.";
        password_common: "This password is on lists that attackers try first. Choose another one." |
            "Dieses Passwort steht auf Listen, die Angreifer zuerst versuchen. Bitte wählen Sie ein anderes.";
        password_close: "This is made of your name, your address or your organisation’s. Add words of your own." |
            "Das besteht aus Ihrem Namen, Ihrer Adresse oder dem Namen Ihrer Organisation. Bitte nehmen Sie eigene Wörter dazu.";
        password_breached: "This password was found among stolen ones. Choose another one." |
            "Dieses Passwort wurde unter gestohlenen gefunden. Bitte wählen Sie ein anderes.";
        password_wrong: "This is not your current password." | "Das ist nicht Ihr aktuelles Passwort.";
        password_same: "This is the password you have now. Choose another one." |
            "Das ist Ihr jetziges Passwort. Bitte wählen Sie ein anderes.";
    }
}
