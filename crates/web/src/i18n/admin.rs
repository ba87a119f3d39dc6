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
        domains: "Domains" | "Domains";
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
        of_limit: "{used} of {limit}" | "{used} von {limit}";
    }
}
