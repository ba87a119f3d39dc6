//! Texts of devices on which a PIN is enough, and of the PINs.

super::texts! {
    /// Texts of devices and PINs.
    DeviceTexts {
        title: "Devices" | "Geräte";
        lead: "Where a PIN is enough to sign in: a till, a terminal, a tablet at the counter." |
            "Wo für die Anmeldung eine PIN reicht: eine Kasse, ein Terminal, ein Tablet am Tresen.";
        none: "No device yet." | "Noch kein Gerät.";
        name: "Name" | "Name";
        created: "Enrolled" | "Hinzugefügt";
        last_used: "Last used" | "Zuletzt benutzt";
        add: "Enrol a device" | "Gerät hinzufügen";
        add_name: "What you call it" | "Wie Sie es nennen";
        add_hint: "As in “Till 1”." | "Zum Beispiel „Kasse 1“.";
        add_about: "You get a token to enter on the device. It is shown once." |
            "Sie erhalten ein Token, das auf dem Gerät eingegeben wird. Es wird einmal gezeigt.";
        enrol: "Enrol" | "Hinzufügen";
        remove: "Remove" | "Entfernen";
        remove_of: "Remove {name}" | "{name} entfernen";
        token: "The token of {name}" | "Das Token von {name}";
        token_about: "Shown this once. Enter it on the device; whoever has it can sign in there with a PIN." |
            "Wird nur dieses eine Mal gezeigt. Geben Sie es auf dem Gerät ein; wer es hat, kann sich dort mit einer PIN anmelden.";
        done_removed: "The device is removed, and whoever was signed in on it is signed out." |
            "Das Gerät ist entfernt, und wer darauf angemeldet war, ist abgemeldet.";
        wrong_name: "A name is one line of 1 to 80 characters." | "Ein Name ist eine Zeile mit 1 bis 80 Zeichen.";
        first: "First page" | "Erste Seite";
        more: "Next page" | "Nächste Seite";
        pages: "Pages of the list" | "Seiten der Liste";
        pin: "PIN" | "PIN";
        pin_about: "Six digits to sign in with on the devices of {tenant}." |
            "Sechs Ziffern für die Anmeldung auf den Geräten von {tenant}.";
        pin_is_set: "A PIN is set." | "Eine PIN ist gesetzt.";
        pin_none: "No PIN is set." | "Keine PIN ist gesetzt.";
        pin_new: "New PIN" | "Neue PIN";
        pin_set: "Set" | "Setzen";
        pin_remove: "Take it away" | "PIN entfernen";
        pin_remove_about: "Signs this person out on every device, and no PIN opens there." |
            "Meldet diese Person auf allen Geräten ab; dort öffnet dann keine PIN mehr.";
        done_pin: "The PIN is set." | "Die PIN ist gesetzt.";
        done_pin_removed: "The PIN is taken away." | "Die PIN ist entfernt.";
        pin_not_six_digits: "A PIN has exactly six digits." | "Eine PIN hat genau sechs Ziffern.";
        pin_one_digit: "A PIN of one digit alone is tried first. Choose another one." |
            "Eine PIN aus nur einer Ziffer wird zuerst versucht. Bitte wählen Sie eine andere.";
        pin_in_a_row: "Digits in a row are tried first. Choose another PIN." |
            "Ziffern in einer Reihe werden zuerst versucht. Bitte wählen Sie eine andere PIN.";
        pin_repeats: "A PIN that repeats itself is tried first. Choose another one." |
            "Eine PIN, die sich wiederholt, wird zuerst versucht. Bitte wählen Sie eine andere.";
    }
}
