//! Texts of setting a new password without the old one.

super::texts! {
    /// Texts of setting a new password without the old one.
    RecoveryTexts {
        title: "Forgot your password?" | "Passwort vergessen?";
        lead: "Tell us your address. If it has an account at {brand}, we send you a way to choose a new password." |
            "Nennen Sie uns Ihre Adresse. Gibt es dazu ein Konto bei {brand}, senden wir Ihnen einen Weg zu einem neuen Passwort.";
        lead_platform: "Tell us your address. We send you a way to choose a new password, for each organisation it has an account with." |
            "Nennen Sie uns Ihre Adresse. Wir senden Ihnen einen Weg zu einem neuen Passwort, für jede Organisation, bei der es dazu ein Konto gibt.";
        email: "E-mail" | "E-Mail";
        way: "What would you like to get?" | "Was möchten Sie erhalten?";
        way_link: "A link" | "Einen Link";
        way_link_about: "Open it on this or any other device." | "Auf diesem oder einem anderen Gerät zu öffnen.";
        way_code: "A code of six digits" | "Einen Code aus sechs Ziffern";
        way_code_about: "Type it here, when your mail is on another device." |
            "Hier einzutippen, wenn Ihre Mail auf einem anderen Gerät ankommt.";
        submit: "Send it" | "Senden";
        asked_title: "Look into your mail" | "Sehen Sie in Ihre E-Mail";
        asked_lead: "If {email} has an account, a mail is on its way to it." |
            "Gibt es zu {email} ein Konto, ist eine E-Mail dorthin unterwegs.";
        asked_steps: "Nothing there?" | "Nichts angekommen?";
        asked_wait: "A mail may take a minute." | "Eine E-Mail kann eine Minute brauchen.";
        asked_spam: "Look among unwanted mail." | "Sehen Sie bei unerwünschter Post nach.";
        asked_other: "You may have registered with another address." |
            "Vielleicht haben Sie sich mit einer anderen Adresse registriert.";
        again: "Ask again" | "Noch einmal anfordern";
        back: "Back to signing in" | "Zurück zur Anmeldung";
        code_title: "Enter your code" | "Code eingeben";
        code_lead: "It stands in the mail we sent you, and works for ten minutes." |
            "Er steht in der E-Mail, die wir Ihnen gesendet haben, und gilt zehn Minuten.";
        code: "Code" | "Code";
        code_hint: "Six digits. If the mail lists several organisations, the code decides for which one." |
            "Sechs Ziffern. Nennt die E-Mail mehrere Organisationen, entscheidet der Code, für welche.";
        code_submit: "Continue" | "Weiter";
        code_wrong: "This code is not right, was used, or has run out. Check it, or ask for another one." |
            "Dieser Code stimmt nicht, wurde benutzt oder ist abgelaufen. Prüfen Sie ihn oder fordern Sie einen neuen an.";
        too_many: "Too many attempts. Please try again in {wait}." |
            "Zu viele Versuche. Bitte versuchen Sie es in {wait} noch einmal.";
        reset_title: "Choose a new password" | "Neues Passwort wählen";
        reset_lead: "For your account at {tenant}. You are signed out everywhere else." |
            "Für Ihr Konto bei {tenant}. Überall sonst werden Sie abgemeldet.";
        reset_submit: "Save the password" | "Passwort speichern";
        gone_ask: "If not, ask for another link." | "Wenn nicht, fordern Sie einen neuen Link an.";
    }
}
