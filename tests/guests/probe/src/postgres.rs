//! `spin:postgres` as a guest uses it: every type that the host converts, there and back through a
//! server; what a server refuses; what a connection must not leave behind.

use dossier_core::fakes::contract::Outcome;
use spin_sdk::pg::{Connection, Error, Interval, ParameterValue as P, PgError, QueryError};

const UUID: &str = "00112233-4455-4677-8899-aabbccddeeff";

pub(crate) async fn check(url: &str) -> Outcome {
    types(url).await?;
    refusals(url).await?;
    traces(url).await
}

/// Values with the type that each is cast to, and what comes back.
fn values() -> Vec<(P, &'static str, String)> {
    let interval = Interval { micros: 1, days: -2, months: 3 };
    vec![
        (P::Boolean(true), "bool", "Boolean(true)".to_owned()),
        (P::Int8(-3), "\"char\"", "Int8(-3)".to_owned()),
        (P::Int16(-7), "int2", "Int16(-7)".to_owned()),
        (P::Int64(70_000), "int4", "Int32(70000)".to_owned()),
        (P::Int64(i64::MIN), "int8", format!("Int64({})", i64::MIN)),
        (P::Timestamp(-1), "int8", "Int64(-1)".to_owned()),
        (P::Floating32(0.5), "float4", "Floating32(0.5)".to_owned()),
        (P::Floating64(-0.1), "float8", "Floating64(-0.1)".to_owned()),
        (P::Str("it's é".to_owned()), "text", "Str(\"it's é\")".to_owned()),
        (P::Str("x".to_owned()), "varchar(3)", "Str(\"x\")".to_owned()),
        (P::Binary(vec![0, 255]), "bytea", "Binary([0, 255])".to_owned()),
        (P::Date((1867, 11, 7)), "date", "Date((1867, 11, 7))".to_owned()),
        (P::Time((23, 59, 58, 7_000)), "time", "Time((23, 59, 58, 7000))".to_owned()),
        (
            P::Datetime((1999, 12, 31, 23, 0, 1, 0)),
            "timestamp",
            "Datetime((1999, 12, 31, 23, 0, 1, 0))".to_owned(),
        ),
        (P::Uuid(UUID.to_owned()), "uuid", format!("Uuid({UUID:?})")),
        (P::Jsonb(b"{\"a\": 1}".to_vec()), "jsonb", format!("Jsonb({:?})", b"{\"a\": 1}")),
        (
            P::Interval(interval),
            "interval",
            format!("{:?}", P::Interval(interval)).replace("ParameterValue::", ""),
        ),
        (P::ArrayInt32(vec![Some(1), None]), "int4[]", "ArrayInt32([Some(1), None])".to_owned()),
        (P::ArrayInt64(Vec::new()), "int8[]", "ArrayInt64([])".to_owned()),
        (
            P::ArrayStr(vec![Some("a,b".to_owned())]),
            "text[]",
            "ArrayStr([Some(\"a,b\")])".to_owned(),
        ),
        (P::DbNull, "date", "DbNull".to_owned()),
    ]
}

async fn types(url: &str) -> Outcome {
    let connection = Connection::open(url).await.map_err(|error| error.to_string())?;
    let values = values();
    let columns: Vec<String> =
        values.iter().zip(1..).map(|((_, kind, _), number)| format!("${number}::{kind}")).collect();
    let sql = format!("SELECT {}, 1.5::numeric", columns.join(", "));
    let parameters: Vec<P> = values.iter().map(|(value, ..)| value.clone()).collect();
    let answer = connection.query(sql, parameters).await.map_err(|error| error.to_string())?;
    let rows = answer.collect().await.map_err(|error| error.to_string())?;
    let [row] = rows.as_slice() else { return Err("one row".to_owned()) };
    for (column, (_, kind, expected)) in values.iter().enumerate() {
        expect(kind, &format!("{:?}", row[column]), expected)?;
    }
    // What is not converted arrives as the server's bytes.
    expect("numeric", &format!("{:?}", row[values.len()]), "Unsupported")?;
    // The days that Postgres itself counts are ours.
    let sql = "SELECT ($1::date - date '1970-01-01')::int8";
    let answer = connection.query(sql, vec![P::Date((2024, 2, 29))]).await;
    let rows = answer.map_err(|error| error.to_string())?.collect().await;
    let rows = rows.map_err(|error| error.to_string())?;
    expect("days", &format!("{:?}", rows.first().map(|row| &row[0])), "Int64(19782)")
}

async fn refusals(url: &str) -> Outcome {
    let connection = Connection::open(url).await.map_err(|error| error.to_string())?;
    for (sql, parameters, expected) in [
        ("SELECT 1 / 0", vec![], "22012"),
        ("SELECT $1::int4", vec![P::Str("1".to_owned())], "bad: $1"),
        ("SELECT $1::int2", vec![P::Int64(70_000)], "bad: $1"),
        ("SELECT $1::int4", vec![], "takes 1 parameters, got 0"),
        ("SELECT 1; SELECT 2", vec![], "42601"),
        ("SELECT pg_sleep(60)", vec![], "57014"),
        ("SELECT repeat('x', 2000000)", vec![], "too large"),
    ] {
        let said = match connection.execute(sql, parameters).await {
            Ok(_) => "nothing".to_owned(),
            Err(Error::PgError(PgError::QueryFailed(QueryError::DbError(error)))) => error.code,
            Err(Error::PgError(PgError::BadParameter(said))) => format!("bad: {said}"),
            Err(other) => format!("{other:?}"),
        };
        expect(sql, &said, expected)?;
    }
    let count = connection.execute("SELECT generate_series(1, 3)", vec![]).await;
    expect("the connection still works", &format!("{count:?}"), "Ok(3)")
}

/// A pool hands connections on; what was set on one must not go with it.
async fn traces(url: &str) -> Outcome {
    let first = Connection::open(url).await.map_err(|error| error.to_string())?;
    for sql in ["CREATE TEMP TABLE trace (a int)", "SET search_path TO nowhere", "BEGIN"] {
        first.execute(sql, vec![]).await.map_err(|error| format!("{sql}: {error}"))?;
    }
    drop(first);
    for _ in 0..3 {
        let next = Connection::open(url).await.map_err(|error| error.to_string())?;
        let found = next.execute("SELECT a FROM trace", vec![]).await;
        expect("temporary tables end with their connection", &format!("{found:?}"), "42P01")?;
    }
    Ok(())
}

fn expect(what: &str, found: &str, expected: &str) -> Outcome {
    let kept = found.contains(expected);
    kept.then_some(()).ok_or_else(|| format!("{what}: expected {expected}, got {found}"))
}
