//! Texts of the console of platform admins.

super::texts! {
    /// Texts of the console.
    AdminTexts {
        console: "Console" | "Konsole";
        tenants: "Tenants" | "Mandanten";
        tenants_lead: "Every organisation on this platform." | "Alle Organisationen auf dieser Plattform.";
        name: "Name" | "Name";
        slug: "Slug" | "Kurzname";
        code: "Code" | "Code";
        status: "Status" | "Status";
        generation: "Generation" | "Generation";
        created: "Created" | "Angelegt";
        more: "Next page" | "Nächste Seite";
        first: "First page" | "Erste Seite";
        pages: "Pages" | "Seiten";
        empty_title: "No tenants yet" | "Noch keine Mandanten";
        empty_lead: "Make the first one on the command line:" | "Legen Sie den ersten auf der Kommandozeile an:";
        back: "All tenants" | "Alle Mandanten";
        open: "Open its sign-in page" | "Anmeldeseite öffnen";
        facts: "Facts" | "Daten";
        id: "Id" | "Id";
        isolation: "Isolation" | "Trennung";
        cluster: "Cluster" | "Cluster";
        registration: "Registration" | "Registrierung";
        database: "Database" | "Datenbank";
        driver: "Engine" | "System";
        database_host: "Host" | "Host";
        database_name: "Name" | "Name";
        no_database: "There is no database record. This tenant can’t be used." |
            "Es gibt keinen Datenbankeintrag. Dieser Mandant ist nicht benutzbar.";
        health: "Health" | "Zustand";
        unchecked: "Not checked yet. A check looks at record, database, stamp, tables, owner and directory." |
            "Noch nicht geprüft. Eine Prüfung sieht sich Eintrag, Datenbank, Stempel, Tabellen, Inhaber und Verzeichnis an.";
        healthy: "Everything is as it should be." | "Alles ist, wie es sein soll.";
        checked_at: "Checked {time}" | "Geprüft {time}";
        repairable: "Repair can mend this" | "Reparatur behebt das";
        by_hand: "Needs a hand" | "Nur von Hand";
        actions: "Actions" | "Aktionen";
        check: "Check now" | "Jetzt prüfen";
        check_about: "Looks, and changes nothing." | "Sieht nach und ändert nichts.";
        repair: "Repair" | "Reparieren";
        repair_about: "Mends what can be mended without guessing." |
            "Behebt, was sich ohne Raten beheben lässt.";
        suspend: "Suspend" | "Sperren";
        suspend_about: "Nobody gets in, nothing is lost. Can be undone." |
            "Niemand kommt hinein, nichts geht verloren. Umkehrbar.";
        resume: "Resume" | "Freigeben";
        resume_about: "Lets people in again." | "Lässt die Personen wieder hinein.";
        done_suspended: "The tenant is suspended." | "Der Mandant ist gesperrt.";
        done_resumed: "The tenant is in use again." | "Der Mandant ist wieder freigegeben.";
        done_repaired: "Repair is done." | "Die Reparatur ist fertig.";
        clusters: "Clusters" | "Cluster";
        clusters_lead: "The PostgreSQL servers that tenants are placed on." |
            "Die PostgreSQL-Server, auf denen Mandanten liegen.";
        clusters_empty_title: "No clusters yet" | "Noch keine Cluster";
        clusters_empty_lead: "Tenants lie in SQLite files until there is one. Add it on the command line:" |
            "Bis dahin liegen Mandanten in SQLite-Dateien. Legen Sie den ersten auf der Kommandozeile an:";
        placement: "New tenants" | "Neue Mandanten";
        placement_open: "Open" | "Offen";
        placement_closed: "Closed" | "Geschlossen";
        placement_full: "Full" | "Voll";
        connections: "Connections" | "Verbindungen";
        reachable: "Reachable" | "Erreichbar";
        unreachable: "Unreachable" | "Nicht erreichbar";
        audit: "Audit" | "Protokoll";
        audit_lead: "Who did what, when, to which tenant, from where." |
            "Wer hat wann was mit welchem Mandanten gemacht, und von wo.";
        audit_of: "What was done to this tenant" | "Was mit diesem Mandanten geschah";
        audit_tenant: "Tenant, by slug or id" | "Mandant, mit Kurzname oder Id";
        audit_action: "Action" | "Vorgang";
        audit_show: "Show" | "Anzeigen";
        audit_what: "What, who and when" | "Was, wer und wann";
        audit_to_tenant: "Tenant" | "Mandant";
        audit_outcome: "Outcome" | "Ausgang";
        audit_to: "To what" | "Woran";
        audit_from: "From" | "Von";
        audit_done: "Done" | "Erledigt";
        audit_refused: "Refused" | "Abgelehnt";
        audit_failed: "Failed" | "Fehlgeschlagen";
        audit_unknown: "Unknown" | "Unbekannt";
        audit_begun: "Going on" | "Läuft";
        audit_user: "User {id}" | "Person {id}";
        audit_command: "{name}, command line" | "{name}, Kommandozeile";
        audit_system: "Tenantry by itself" | "Tenantry von selbst";
        audit_nobody: "Nobody known" | "Niemand Bekanntes";
        audit_none_title: "Nothing found" | "Nichts gefunden";
        audit_none_lead: "No entry is about this tenant and action." |
            "Kein Eintrag betrifft diesen Mandanten und Vorgang.";
        audit_empty_title: "Nothing yet" | "Noch nichts";
        audit_empty_lead: "Entries come with what is done from now on." |
            "Einträge entstehen mit allem, was von nun an geschieht.";
        of_limit: "{used} of {limit}" | "{used} von {limit}";
    }
}
