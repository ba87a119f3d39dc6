//! Texts of registering.

super::texts! {
    /// Texts of registering.
    RegistrationTexts {
        title: "Create your account" | "Konto erstellen";
        lead: "At {brand}. It takes a minute." | "Bei {brand}. Es dauert nur eine Minute.";
        full_name: "Your name" | "Ihr Name";
        full_name_hint: "As others see it. You can leave it out." | "So sehen ihn andere. Sie können ihn weglassen.";
        username: "Username" | "Benutzername";
        username_hint: "To sign in with, instead of your address." | "Damit können Sie sich statt mit der Adresse anmelden.";
        email: "E-mail" | "E-Mail";
        submit: "Create account" | "Konto erstellen";
        have_one: "You have an account?" | "Sie haben schon ein Konto?";
        closed_title: "Registration is not open" | "Registrierung nicht möglich";
        closed_lead: "{brand} adds its people itself. If you should have an account, ask the person who manages it." |
            "{brand} legt Konten selbst an. Wenn Sie eines haben sollten, wenden Sie sich an die Person, die sie verwaltet.";
        sent_title: "Confirm your address" | "Bestätigen Sie Ihre Adresse";
        sent_lead: "A mail is on its way to {email}. Follow the link in it, and your account is ready." |
            "Eine E-Mail an {email} ist unterwegs. Folgen Sie dem Link darin, dann ist Ihr Konto bereit.";
        verify_title: "Confirm your address" | "Adresse bestätigen";
        verify_lead: "You registered at {brand} with {email}, as “{username}”." |
            "Sie haben sich bei {brand} mit {email} als „{username}“ registriert.";
        verify_not_you: "If you did not choose this name, close this page: the account would have somebody else’s password." |
            "Wenn Sie diesen Namen nicht gewählt haben, schließen Sie diese Seite: Das Konto hätte ein fremdes Passwort.";
        verify_submit: "Yes, that was me" | "Ja, das war ich";
        verify_taken: "Somebody was faster with your username. Choose another one." |
            "Jemand war mit Ihrem Benutzernamen schneller. Bitte wählen Sie einen anderen.";
        address_title: "Your address has an account already" | "Ihre Adresse hat schon ein Konto";
        address_lead: "So no new one was made. An address belongs to one account only, here or in another organisation. Sign in with it, or register with another address." |
            "Darum wurde kein neues angelegt. Eine Adresse gehört nur zu einem Konto, hier oder in einer anderen Organisation. Melden Sie sich damit an oder registrieren Sie sich mit einer anderen Adresse.";
        gone_ask: "If not, register again." | "Wenn nicht, registrieren Sie sich noch einmal.";
    }
}
