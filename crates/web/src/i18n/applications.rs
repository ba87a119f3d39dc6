//! Texts of asking for a tenant, and of deciding about it.

super::texts! {
    /// Texts of asking for a tenant, and of deciding about it.
    ApplicationTexts {
        title: "A place for your organisation" | "Ein Platz für Ihre Organisation";
        lead: "On {brand}, with an address, people and a sign-in page of its own." |
            "Auf {brand}, mit eigener Adresse, eigenen Personen und eigener Anmeldeseite.";
        name: "Name of the organisation" | "Name der Organisation";
        slug: "Short name" | "Kurzname";
        slug_hint: "It stands in the address: short-name.{host}" | "Er steht in der Adresse: kurzname.{host}";
        email: "Your e-mail" | "Ihre E-Mail";
        email_hint: "You will be its owner." | "Sie werden Inhaber der Organisation.";
        full_name: "Your name" | "Ihr Name";
        full_name_hint: "You can leave it out." | "Sie können ihn weglassen.";
        submit: "Ask for it" | "Anfragen";
        have_one: "Your organisation is here already?" | "Ihre Organisation ist schon hier?";
        sent_title: "Confirm your address" | "Bestätigen Sie Ihre Adresse";
        sent_lead: "A mail is on its way to {email}. Follow the link in it; nothing happens before." |
            "Eine E-Mail an {email} ist unterwegs. Folgen Sie dem Link darin, vorher geschieht nichts.";
        confirm_title: "Confirm your request" | "Anfrage bestätigen";
        confirm_lead: "{name}, at {host}, with {email} as its owner." |
            "{name} unter {host}, mit {email} als Inhaber.";
        confirm_submit: "Yes, that is what I want" | "Ja, das möchte ich";
        waiting_title: "Your request has arrived" | "Ihre Anfrage ist angekommen";
        waiting_lead: "The people who run {brand} look at it and answer by mail." |
            "Die Betreiber von {brand} sehen sie sich an und antworten per E-Mail.";
        made_title: "Your organisation is ready" | "Ihre Organisation ist bereit";
        made_lead: "A mail with a link to choose your password is on its way." |
            "Eine E-Mail mit einem Link, um Ihr Passwort zu wählen, ist unterwegs.";
        open: "Open its address" | "Adresse öffnen";
        list: "Applications" | "Anfragen";
        list_lead: "Who asks for a tenant of their own." | "Wer einen eigenen Mandanten möchte.";
        signup_closed: "Nobody can ask at the moment: the setting tenants.signup is closed." |
            "Zurzeit kann niemand anfragen: Die Einstellung tenants.signup steht auf closed.";
        filter_all: "All" | "Alle";
        state_pending_proof: "Address unproven" | "Adresse unbestätigt";
        state_pending: "Waiting" | "Wartet";
        state_approved: "Approved" | "Genehmigt";
        state_rejected: "Declined" | "Abgelehnt";
        state_expired: "Ran out" | "Abgelaufen";
        who: "Organisation and applicant" | "Organisation und Antragsteller";
        state: "State" | "Stand";
        asked: "Asked" | "Angefragt";
        decision: "Decision" | "Entscheidung";
        decide: "Decide" | "Entscheiden";
        approve: "Approve" | "Genehmigen";
        approve_about: "Makes the tenant. The applicant gets a setup link by mail." |
            "Legt den Mandanten an. Ein Einrichtungslink geht per E-Mail an die Adresse oben.";
        reject: "Decline" | "Ablehnen";
        reason: "Reason, for the mail" | "Grund, für die E-Mail";
        damaged: "Damaged: who asked can’t be read any more." |
            "Beschädigt: Wer angefragt hat, ist nicht mehr lesbar.";
        empty_title: "No applications" | "Keine Anfragen";
        empty_lead: "Nobody asked, or all that matches is decided." |
            "Niemand hat angefragt, oder alles Passende ist entschieden.";
        done_approved: "The tenant is made, and the mail is on its way." |
            "Der Mandant ist angelegt, die E-Mail ist unterwegs.";
        done_rejected: "The application is declined, and the mail is on its way." |
            "Die Anfrage ist abgelehnt, die E-Mail ist unterwegs.";
        error_slug: "The short name is taken or not valid. Choose another one below." |
            "Der Kurzname ist vergeben oder ungültig. Wählen Sie unten einen anderen.";
        error_email: "The address belongs to another tenant already." |
            "Die Adresse gehört schon zu einem anderen Mandanten.";
        error_decided: "The application was decided meanwhile, or the tenant can’t be made now." |
            "Die Anfrage wurde inzwischen entschieden, oder der Mandant lässt sich jetzt nicht anlegen.";
        error_reason: "A reason is one line of at most 500 characters." |
            "Ein Grund ist eine Zeile mit höchstens 500 Zeichen.";
    }
}
