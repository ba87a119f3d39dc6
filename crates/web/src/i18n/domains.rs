//! Texts of domains of a tenant's own.

super::texts! {
    /// Texts of domains of a tenant's own.
    DomainTexts {
        title: "Own domains" | "Eigene Domains";
        none: "None yet. The tenant is reached at its address above." |
            "Noch keine. Der Mandant ist unter seiner Adresse oben erreichbar.";
        domain: "Domain" | "Domain";
        kind: "For" | "Für";
        host: "Pages" | "Seiten";
        email: "Mail addresses" | "Mailadressen";
        add: "Add" | "Hinzufügen";
        verify: "Verify" | "Prüfen";
        verify_of: "Verify {domain}" | "{domain} prüfen";
        remove: "Remove" | "Entfernen";
        remove_of: "Remove {domain}" | "{domain} entfernen";
        verified: "Verified" | "Bestätigt";
        pending: "Not verified" | "Nicht bestätigt";
        failing: "Proof is gone" | "Nachweis fehlt";
        publish: "What to publish" | "Was zu veröffentlichen ist";
        record: "TXT record" | "TXT-Eintrag";
        value: "Value" | "Wert";
        file: "Or a file with the value, at" | "Oder eine Datei mit dem Wert, unter";
        stays: "It has to stay: it is looked for every day." |
            "Er muss bestehen bleiben, denn er wird täglich gesucht.";
        missing: "Nothing was found there. A new record can take an hour to be seen." |
            "Dort war nichts zu finden. Ein neuer Eintrag kann eine Stunde brauchen, bis er sichtbar ist.";
        different: "Something else is published there." | "Dort ist etwas anderes veröffentlicht.";
        unanswered: "Nobody could say what is published. Try again later." |
            "Es war nicht zu erfahren, was dort steht. Versuchen Sie es später noch einmal.";
        kept_until: "The domain stays the tenant’s until {time}." |
            "Die Domain gehört dem Mandanten noch bis {time}.";
        done_added: "Publish the record, then verify." | "Veröffentlichen Sie den Eintrag und prüfen Sie dann.";
        done_verified: "The domain is verified." | "Die Domain ist bestätigt.";
        done_unfound: "The proof was not found." | "Der Nachweis wurde nicht gefunden.";
        done_removed: "The domain is removed." | "Die Domain ist entfernt.";
        taken: "Another tenant has this domain." | "Diese Domain hat ein anderer Mandant.";
        invalid: "This is no domain. It looks like shop.example.org." |
            "Das ist keine Domain. Sie sieht aus wie shop.example.org.";
        reserved: "This domain belongs to the platform itself." | "Diese Domain gehört der Plattform selbst.";
        public_suffix: "Names below this one belong to others." | "Namen unter dieser Domain gehören anderen.";
        public_mail: "This is a public mail provider." | "Das ist ein öffentlicher Mailanbieter.";
        too_many: "There are too many domains already." | "Es gibt schon zu viele Domains.";
    }
}
