//! One text of a statement for both drivers.
//!
//! Each macro expands its body once for each driver, so that the compiler checks both; nothing is
//! rewritten at run time. What a server does not answer is given up (`db::answered`).

/// Declares a row type and how it is read from either driver, by column name.
macro_rules! row {
    ($(#[$meta:meta])* struct $name:ident { $($field:ident : $ty:ty),+ $(,)? }) => {
        $(#[$meta])*
        struct $name { $($field: $ty),+ }

        impl<'r, R: sqlx::Row> sqlx::FromRow<'r, R> for $name
        where
            &'static str: sqlx::ColumnIndex<R>,
            $($ty: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,)+
        {
            fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
                Ok(Self { $($field: row.try_get(stringify!($field))?),+ })
            }
        }
    };
}

/// Runs a statement; the number of rows it changed.
macro_rules! execute {
    ($conn:expr, $sql:expr $(, $arg:expr)* $(,)?) => {
        match &mut $conn {
            $crate::Conn::Sqlite(conn) => sqlx::query($sql)$(.bind($arg))*
                .execute(&mut **conn).await.map(|done| done.rows_affected()),
            $crate::Conn::Postgres(conn) => $crate::db::answered(
                sqlx::query($sql)$(.bind($arg))*.execute(&mut **conn)
            ).await.map(|done| done.rows_affected()),
        }.map_err($crate::StoreError::from)
    };
}

macro_rules! fetch {
    ($method:ident, $conn:expr, $row:ty, $sql:expr $(, $arg:expr)* $(,)?) => {
        match &mut $conn {
            $crate::Conn::Sqlite(conn) => sqlx::query_as::<_, $row>($sql)$(.bind($arg))*
                .$method(&mut **conn).await,
            $crate::Conn::Postgres(conn) => $crate::db::answered(
                sqlx::query_as::<_, $row>($sql)$(.bind($arg))*.$method(&mut **conn)
            ).await,
        }.map_err($crate::StoreError::from)
    };
}

/// The one row of a statement that may have none.
macro_rules! fetch_optional {
    ($($all:tt)*) => { fetch!(fetch_optional, $($all)*) };
}

/// The one row of a statement that always has one.
macro_rules! fetch_one {
    ($($all:tt)*) => { fetch!(fetch_one, $($all)*) };
}

/// Every row of a statement.
macro_rules! fetch_all {
    ($($all:tt)*) => { fetch!(fetch_all, $($all)*) };
}
