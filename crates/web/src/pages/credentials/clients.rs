//! Access to a database as the usual clients take it. Where a client has rules on quoting they are
//! kept, also for values that we don't make today. The schema is in none of them: the user's own
//! `search_path` says it.

use super::Access;
use crate::pages::encoded;

/// How one client takes the access.
pub(super) struct Client {
    /// Tells it from the others, as part of an id.
    pub(super) id: &'static str,
    /// Its name.
    pub(super) name: &'static str,
    /// Who takes it.
    pub(super) about: &'static str,
    /// What to copy.
    pub(super) text: String,
}

/// The access for each client. Names of products are the same in every language; `environment` is
/// what environment variables are called in the reader's.
pub(super) fn clients(access: &Access, environment: &'static str) -> [Client; 5] {
    let client = |id, name, about, text| Client {
        id,
        name,
        about,
        text,
    };
    [
        client(
            "url",
            "URL",
            "psql, Node, Go, Rust, Ruby, SQLAlchemy",
            access.url.clone(),
        ),
        client(
            "environment",
            environment,
            "psql, libpq, node-postgres",
            variables(access),
        ),
        client("jdbc", "JDBC", "Java, Kotlin, Scala", jdbc(access)),
        client("npgsql", ".NET", "Npgsql, Entity Framework", npgsql(access)),
        client("django", "Django", "settings.py", django(access)),
    ]
}

/// Variables that libpq reads (PostgreSQL's documentation, section 32.15), for a shell.
fn variables(access: &Access) -> String {
    format!(
        "export PGHOST={}\nexport PGPORT={}\nexport PGDATABASE={}\nexport PGUSER={}\nexport PGPASSWORD={}",
        shell(&access.host),
        access.port,
        shell(&access.database),
        shell(&access.user),
        shell(&access.password)
    )
}

/// The PostgreSQL driver's URL, with the user in the query.
fn jdbc(access: &Access) -> String {
    format!(
        "jdbc:postgresql://{}:{}/{}?user={}&password={}",
        in_url(&access.host),
        access.port,
        encoded(&access.database),
        encoded(&access.user),
        encoded(&access.password)
    )
}

/// A connection string of ADO.NET.
fn npgsql(access: &Access) -> String {
    format!(
        "Host={};Port={};Database={};Username={};Password={}",
        ado(&access.host),
        access.port,
        ado(&access.database),
        ado(&access.user),
        ado(&access.password)
    )
}

/// The setting `DATABASES`.
fn django(access: &Access) -> String {
    format!(
        "DATABASES = {{\n    \"default\": {{\n        \"ENGINE\": \"django.db.backends.postgresql\",\n        \
         \"HOST\": {},\n        \"PORT\": {},\n        \"NAME\": {},\n        \"USER\": {},\n        \
         \"PASSWORD\": {},\n    }}\n}}",
        python(&access.host),
        access.port,
        python(&access.database),
        python(&access.user),
        python(&access.password)
    )
}

/// A word of a POSIX shell: as it is, or in single quotes.
fn shell(value: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:@%+,=".contains(&b);
    if !value.is_empty() && value.bytes().all(plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', "'\\''"))
}

/// A value of an ADO.NET connection string: as it is, or in double quotes.
fn ado(value: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:@%+,".contains(&b);
    if !value.is_empty() && value.bytes().all(plain) {
        return value.to_owned();
    }
    format!("\"{}\"", value.replace('"', "\"\""))
}

/// A string literal of Python.
fn python(value: &str) -> String {
    let mut literal = String::from("\"");
    for c in value.chars() {
        if c == '"' || c == '\\' {
            literal.push('\\');
        }
        literal.push(c);
    }
    literal.push('"');
    literal
}

/// A host as part of a URL: an IPv6 address stands in brackets (RFC 3986, section 3.2.2).
fn in_url(host: &str) -> String {
    if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(host: &str, password: &str) -> Access {
        Access {
            host: host.to_owned(),
            port: 5432,
            database: "t_1".to_owned(),
            schema: "app".to_owned(),
            user: "t_1_a".to_owned(),
            password: password.to_owned(),
            url: String::new(),
        }
    }

    #[test]
    fn each_client_gets_its_own_quoting() {
        let odd = access("2001:db8::1", "a'b\"c;d\\e &");
        assert!(variables(&odd).ends_with("PGPASSWORD='a'\\''b\"c;d\\e &'"));
        assert_eq!(
            jdbc(&odd),
            "jdbc:postgresql://[2001:db8::1]:5432/t_1?user=t_1_a&password=a%27b%22c%3Bd%5Ce%20%26"
        );
        assert!(npgsql(&odd).ends_with("Username=t_1_a;Password=\"a'b\"\"c;d\\e &\""));
        assert!(django(&odd).contains("\"PASSWORD\": \"a'b\\\"c;d\\\\e &\","));
    }

    #[test]
    fn what_needs_no_quotes_has_none() {
        let plain = access("db.example", "Ab1-_9");
        assert!(variables(&plain).starts_with("export PGHOST=db.example\nexport PGPORT=5432\n"));
        assert_eq!(
            npgsql(&plain),
            "Host=db.example;Port=5432;Database=t_1;Username=t_1_a;Password=Ab1-_9"
        );
    }
}
