//! Texts of the mails a development server keeps instead of sending.

super::texts! {
    /// Texts of the mails of a development server.
    DevMailTexts {
        title: "Mail" | "Mails";
        lead: "No mail server is set, so nothing leaves this machine. Every mail ends up here." |
            "Es ist kein Mailserver eingestellt, also verlässt nichts diesen Rechner. Jede Mail landet hier.";
        empty_title: "No mail yet" | "Noch keine Mails";
        empty_lead: "Create a tenant or invite someone, and the mail will be here a moment later." |
            "Legen Sie einen Mandanten an oder laden Sie jemanden ein: Die Mail ist gleich danach hier.";
        list: "Mails, newest first" | "Mails, neueste zuerst";
        back: "All mail" | "Alle Mails";
        from: "From" | "Von";
        to: "To" | "An";
        date: "Date" | "Datum";
        text: "Text" | "Text";
        html: "HTML" | "HTML";
        html_frame: "HTML part of the mail" | "HTML-Teil der Mail";
        no_subject: "No subject" | "Ohne Betreff";
        no_text: "This mail has no text part." | "Diese Mail hat keinen Textteil.";
    }
}
