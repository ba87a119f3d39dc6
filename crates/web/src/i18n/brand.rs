//! Texts of what a tenant's pages and mails look like.

super::texts! {
    /// Texts of what a tenant's pages and mails look like.
    BrandTexts {
        title: "Settings" | "Einstellungen";
        lead: "What holds for everybody at {tenant}." | "Was für alle bei {tenant} gilt.";
        look: "Appearance" | "Erscheinungsbild";
        colour: "Colour" | "Farbe";
        colour_about: "For pages and mails. Text on it and links in it are shifted until they can be read." |
            "Für Seiten und Mails. Text darauf und Links darin werden so angepasst, dass man sie lesen kann.";
        colour_hint: "As in #1d4ed8." | "Zum Beispiel #1d4ed8.";
        colour_none: "None is set, so it is {colour}." | "Keine ist gesetzt, also gilt {colour}.";
        save: "Save" | "Speichern";
        colour_reset: "Use the default" | "Standard verwenden";
        logo: "Logo" | "Logo";
        logo_about: "On every page, beside the name. It stands on white." |
            "Auf jeder Seite, neben dem Namen. Es steht auf Weiß.";
        logo_hint: "PNG, JPEG or WebP, at most 256 KiB, 16 to 2048 pixels wide and high." |
            "PNG, JPEG oder WebP, höchstens 256 KiB, 16 bis 2048 Pixel breit und hoch.";
        logo_upload: "Upload" | "Hochladen";
        logo_remove: "Remove the logo" | "Logo entfernen";
        logo_now: "The logo now" | "Das jetzige Logo";
        done_colour: "The colour is saved." | "Die Farbe ist gespeichert.";
        done_logo: "The logo is saved." | "Das Logo ist gespeichert.";
        done_removed: "The logo is removed." | "Das Logo ist entfernt.";
        wrong_colour: "A colour is # and six digits or letters a to f, as in #1d4ed8." |
            "Eine Farbe ist # und sechs Ziffern oder Buchstaben a bis f, zum Beispiel #1d4ed8.";
        wrong_missing: "Choose an image first." | "Bitte wählen Sie zuerst ein Bild aus.";
        wrong_too_large: "This image has more than 256 KiB." | "Dieses Bild hat mehr als 256 KiB.";
        wrong_image: "This is no PNG, JPEG or WebP image." | "Das ist kein PNG-, JPEG- oder WebP-Bild.";
        wrong_size: "This image is not 16 to 2048 pixels wide and high." |
            "Dieses Bild ist nicht 16 bis 2048 Pixel breit und hoch.";
    }
}
