//! Texts of setting the first password and of changing one.

super::texts! {
    /// Texts of setting and changing a password.
    PasswordTexts {
        setup_title: "Choose a password" | "Passwort festlegen";
        setup_lead: "Your account at {tenant} opens with it from now on." |
            "Damit öffnen Sie bei {tenant} künftig Ihr Konto.";
        account: "Your account" | "Ihr Konto";
        new: "New password" | "Neues Passwort";
        current: "Current password" | "Aktuelles Passwort";
        rules: "{min} to {max} characters. Letters, spaces, emoji: anything goes." |
            "{min} bis {max} Zeichen. Buchstaben, Leerzeichen, Emoji: alles ist erlaubt.";
        hint: "Length beats complexity: four or five random words make a strong password that is easy to remember." |
            "Länge schlägt Komplexität: Vier oder fünf zufällige Wörter sind sicher und leicht zu merken.";
        setup_submit: "Set password" | "Passwort speichern";
        change_title: "Time for a new password" | "Zeit für ein neues Passwort";
        change_lead: "Your current password was given to you by someone else. Choose one that only you know, then go on." |
            "Ihr aktuelles Passwort hat jemand anderes vergeben. Wählen Sie eines, das nur Sie kennen.";
        change_title_own: "Change your password" | "Passwort ändern";
        change_lead_own: "Your other sessions end when you change it." |
            "Mit der Änderung enden Ihre anderen Sitzungen.";
        change_submit: "Change password" | "Passwort ändern";
        gone_title: "This link is no longer good" | "Dieser Link gilt nicht mehr";
        gone_lead: "Links like this work once and for a limited time. This one has been used, has run out, or was not copied whole." |
            "Solche Links gelten nur einmal und nur für begrenzte Zeit. Dieser wurde schon benutzt, ist abgelaufen oder wurde nicht vollständig kopiert.";
        gone_steps: "What you can do" | "Das können Sie tun";
        gone_try: "If you have already set a password, just sign in." |
            "Wenn Sie schon ein Passwort festgelegt haben, melden Sie sich einfach an.";
        gone_ask: "If not, ask the person who invited you to send the link again." |
            "Wenn nicht, bitten Sie die Person, die Sie eingeladen hat, den Link noch einmal zu senden.";
        gone_newest: "If you got several mails, use the link in the newest one." |
            "Wenn Sie mehrere Mails erhalten haben, nehmen Sie den Link aus der neuesten.";
    }
}
