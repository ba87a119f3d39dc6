//! Texts of one's own account.

super::texts! {
    /// Texts of one's own account: names, address, sessions.
    AccountTexts {
        title: "Your account" | "Ihr Konto";
        lead: "What others see of you, and how you get in." |
            "Was andere von Ihnen sehen und wie Sie sich anmelden.";
        profile: "Profile" | "Profil";
        full_name: "Name" | "Name";
        full_name_hint: "As others see it. You can leave it out." | "So sehen ihn andere. Sie können ihn weglassen.";
        username: "Username" | "Benutzername";
        username_hint: "To sign in with, instead of your address." | "Damit können Sie sich statt mit der Adresse anmelden.";
        email_hint: "A new one is yours once you followed the link we mail to it." |
            "Eine neue gilt, sobald Sie dem Link gefolgt sind, den wir dorthin senden.";
        email_fixed: "A platform admin’s address stays as it is." |
            "Die Adresse von Plattform-Admins bleibt, wie sie ist.";
        save: "Save" | "Speichern";
        saved: "Your changes are saved." | "Ihre Änderungen sind gespeichert.";
        pending: "A mail is on its way to {email}. Follow the link in it to make this your address." |
            "Eine E-Mail an {email} ist unterwegs. Folgen Sie dem Link darin, dann gilt die neue Adresse.";
        address_changed: "Your address is changed." | "Ihre Adresse ist geändert.";
        password: "Password" | "Passwort";
        password_about: "Choose a new one whenever you like. Your other sessions end with it." |
            "Sie können jederzeit ein neues wählen. Ihre anderen Sitzungen enden damit.";
        sessions: "Sessions" | "Sitzungen";
        sessions_about: "See where you are signed in, and end what you do not need." |
            "Sehen Sie, wo Sie angemeldet sind, und beenden Sie, was Sie nicht brauchen.";
        sessions_open: "See your sessions" | "Sitzungen ansehen";
        sessions_lead: "Every place you are signed in. End what you do not recognise, then change your password." |
            "Alle Orte, an denen Sie angemeldet sind. Beenden Sie, was Ihnen unbekannt ist, und ändern Sie dann Ihr Passwort.";
        session_here: "This one" | "Diese hier";
        session_browser: "Browser" | "Browser";
        session_api: "Application" | "Anwendung";
        session_on: "{client} on {system}" | "{client} unter {system}";
        session_unknown: "Unknown device" | "Unbekanntes Gerät";
        session_seen: "Last used {time}" | "Zuletzt benutzt {time}";
        session_begun: "Signed in {time}" | "Angemeldet {time}";
        session_reused: "{time}: a session was ended ({client}), as somebody else may have had a copy of it. If you do not know why, change your password." |
            "{time}: Eine Sitzung wurde beendet ({client}), denn vielleicht hatte jemand anderes eine Kopie davon. Wenn Sie nicht wissen, warum, ändern Sie Ihr Passwort.";
        session_end: "End" | "Beenden";
        session_end_of: "End: {client}" | "Beenden: {client}";
        others_end: "End all others" | "Alle anderen beenden";
        others_about: "Signs you out everywhere but here." | "Meldet Sie überall ab, nur hier nicht.";
        others_none: "You are signed in nowhere else." | "Sonst sind Sie nirgends angemeldet.";
        everywhere_end: "Sign out everywhere" | "Überall abmelden";
        everywhere_about: "Signs you out everywhere, here too." | "Meldet Sie überall ab, auch hier.";
        sessions_end: "Ending sessions" | "Sitzungen beenden";
        sessions_pin: "You signed in with a PIN. Sign in with your password to end other sessions." |
            "Sie haben sich mit einer PIN angemeldet. Um andere Sitzungen zu beenden, melden Sie sich mit Ihrem Passwort an.";
        session_pages: "Pages of the list" | "Seiten der Liste";
        session_first: "First page" | "Erste Seite";
        session_more: "Next page" | "Nächste Seite";
        session_ended: "The session has ended." | "Die Sitzung ist beendet.";
        others_ended: "Your other sessions have ended." | "Ihre anderen Sitzungen sind beendet.";
        back: "Your account" | "Ihr Konto";
        new_title: "Confirm your new address" | "Neue Adresse bestätigen";
        new_lead: "From now on your account at {tenant} is reached at this address." |
            "Ihr Konto bei {tenant} ist dann unter dieser Adresse erreichbar.";
        new_from: "Until now" | "Bisher";
        new_to: "From now on" | "Künftig";
        new_submit: "Use this address" | "Diese Adresse verwenden";
        new_hint: "Your other sessions end, and a notice goes to the address you had." |
            "Ihre anderen Sitzungen enden, und an die bisherige Adresse geht eine Nachricht.";
        new_taken: "Somebody else has this address by now. Choose another one in your account." |
            "Diese Adresse hat inzwischen jemand anderes. Bitte wählen Sie in Ihrem Konto eine andere.";
        gone_ask: "If you still want another address, ask for it again in your account." |
            "Wenn Sie noch eine andere Adresse möchten, ändern Sie sie noch einmal in Ihrem Konto.";
    }
}
