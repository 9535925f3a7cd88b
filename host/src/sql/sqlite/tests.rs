//! SQLite through the same door as a guest, without one.

use super::*;
use tempfile::TempDir;

fn access(limits: SqlLimits) -> (SqliteAccess, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::new(&folder.path().join("sqlite"), &limits);
    let labels = Arc::new(["default".to_owned()].into());
    (SqliteAccess { files, labels }, folder)
}

async fn run(connection: &Connection, sql: &str) -> Result<Vec<Vec<Value>>, Error> {
    let result = connection.execute(sql.to_owned(), Vec::new()).await?;
    Ok(result.rows.into_iter().map(|row| row.values).collect())
}

fn said(outcome: Result<impl std::fmt::Debug, Error>) -> String {
    match outcome.unwrap_err() {
        Error::Io(text) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn values_columns_and_counts_come_back() {
    let (access, _folder) = access(SqlLimits::default());
    let connection = access.open("default").await.unwrap();
    run(&connection, "CREATE TABLE t (a, b BOOLEAN, c TEXT, d BLOB, e)").await.unwrap();
    let values = [
        Value::Integer(i64::MIN),
        Value::Real(0.5),
        Value::Text("it's".to_owned()),
        Value::Blob(vec![0, 255]),
        Value::Null,
    ];
    let insert = "INSERT INTO t VALUES ($1, $2, $3, $4, $5) RETURNING c AS text".to_owned();
    let result = connection.execute(insert, values.to_vec()).await.unwrap();
    assert_eq!(result.columns, ["text"]);
    assert_eq!((connection.last_insert_rowid().await, connection.changes().await), (1, 1));
    let found = run(&connection, "SELECT * FROM t").await.unwrap();
    assert_eq!(format!("{found:?}"), format!("{:?}", [values]));
    let empty = connection.execute("SELECT a, e FROM t WHERE c = ''".to_owned(), vec![]).await;
    let empty = empty.unwrap();
    assert_eq!((empty.columns, empty.rows.len()), (vec!["a".to_owned(), "e".to_owned()], 0));
}

#[tokio::test]
async fn only_granted_databases_open_and_only_their_files_are_reached() {
    let (access, folder) = access(SqlLimits::default());
    assert!(matches!(access.open("other").await, Err(Error::AccessDenied)));
    let connection = access.open("default").await.unwrap();
    let outside = folder.path().join("outside.db");
    let attach = format!("ATTACH '{}' AS other", outside.display());
    assert!(said(run(&connection, &attach).await).contains("not allowed"));
    // The library itself has no place to attach to, in case the words above are one day outwitted.
    for sql in [attach, format!("VACUUM INTO '{}'", outside.display())] {
        let mut state = connection.state.lock().await;
        let outcome = state.execute(sql, Vec::new(), false, &SqlLimits::default()).await;
        assert!(said(outcome).contains("too many attached databases"));
    }
    assert!(!outside.exists());
}

#[tokio::test]
async fn what_a_connection_keeps_ends_with_it() {
    let (access, _folder) = access(SqlLimits::default());
    let first = access.open("default").await.unwrap();
    for sql in
        ["CREATE TABLE t (a)", "BEGIN", "INSERT INTO t VALUES (1)", "CREATE TEMP TABLE u (a)"]
    {
        run(&first, sql).await.unwrap();
    }
    assert_eq!(run(&first, "SELECT a FROM t").await.unwrap().len(), 1);
    drop(first);
    for _ in 0..3 {
        let next = access.open("default").await.unwrap();
        assert_eq!(run(&next, "SELECT a FROM t").await.unwrap().len(), 0);
        assert!(said(run(&next, "SELECT a FROM u").await).contains("no such table"));
    }
}

#[tokio::test]
async fn limits_hold() {
    let limits = SqlLimits {
        connections: 2,
        wait: Duration::from_millis(50),
        statement_timeout: Duration::from_millis(100),
        message: 64 * 1024,
        sqlite_file: 64 * 1024,
    };
    let (access, _folder) = access(limits);
    let connection = access.open("default").await.unwrap();
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                   SELECT COUNT(*) FROM n";
    assert!(said(run(&connection, endless).await).contains("longer than 100 ms"));
    let wide = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 9999) \
                SELECT i FROM n";
    assert!(said(run(&connection, wide).await).contains("more than 65536 bytes"));
    let long = format!("SELECT '{}'", "x".repeat(64 * 1024));
    assert!(said(run(&connection, &long).await).contains("more than 65536 bytes"));
    run(&connection, "CREATE TABLE t (a)").await.unwrap();
    let fill = "INSERT INTO t VALUES (zeroblob(100000))";
    assert!(matches!(run(&connection, fill).await, Err(Error::DatabaseFull)));
    // And it still works.
    let count = run(&connection, "SELECT COUNT(*) FROM t").await.unwrap();
    assert!(matches!(count[0][0], Value::Integer(0)), "{count:?}");
    let second = access.open("default").await.unwrap();
    assert!(said(access.open("default").await.map(drop)).contains("no connection"));
    drop((connection, second));
}
