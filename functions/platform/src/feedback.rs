//! The feedback port on SQL: SQLite, or Postgres where `database_url` is set.

use std::cell::Cell;

use dossier_core::{
    feedback::{Cursor, Recorded, Selection, Vote},
    ports::{Config, Entry, Feedback, FeedbackError, Proposal},
    setting::SettingFault,
};

use crate::sql::{Database, Row, Value};

/// Variable with the address of a Postgres database; empty: SQLite.
const DATABASE_URL: &str = "database_url";

/// The schema, step by step: a database at version `n` has had the first `n`.
///
/// A step that is released is never changed. Its statements may run twice, since instances that meet
/// an old database do not wait for each other.
const MIGRATIONS: &[&[&str]] = &[&[
    "CREATE TABLE IF NOT EXISTS feedback (
        id TEXT PRIMARY KEY,
        session_id TEXT NOT NULL,
        message_id TEXT NOT NULL,
        thumbs_up BIGINT NOT NULL,
        comment TEXT,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        UNIQUE (session_id, message_id)
    )",
    "CREATE INDEX IF NOT EXISTS feedback_by_time ON feedback (created_at, id)",
]];

const RECORD: &str = "INSERT INTO feedback \
    (id, session_id, message_id, thumbs_up, comment, created_at, updated_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7) \
    ON CONFLICT (session_id, message_id) DO UPDATE SET \
    thumbs_up = excluded.thumbs_up, comment = excluded.comment, updated_at = excluded.updated_at \
    RETURNING id";

thread_local! {
    /// Whether this instance has seen the schema up to date. Nothing of a request.
    static UP_TO_DATE: Cell<bool> = const { Cell::new(false) };
}

/// Votes in a table of a SQL database.
#[derive(Clone)]
pub struct SqlFeedback {
    url: Option<String>,
}

impl SqlFeedback {
    /// Votes where the configuration wants them; connects with the first call.
    ///
    /// # Errors
    /// The configuration cannot be read.
    pub async fn configured(config: &impl Config) -> Result<Self, SettingFault> {
        Ok(Self { url: config.get(DATABASE_URL).await? })
    }

    async fn run(&self, sql: &str, parameters: Vec<Value>) -> Result<Vec<Row>, FeedbackError> {
        let failed = |reason| FeedbackError { reason };
        let database = Database::open(self.url.as_deref()).await.map_err(failed)?;
        if !UP_TO_DATE.get() {
            migrate(&database).await.map_err(failed)?;
            UP_TO_DATE.set(true);
        }
        let outcome = database.run(sql, parameters).await;
        // The table may have been dropped, or the file replaced by an older one.
        UP_TO_DATE.set(outcome.is_ok());
        outcome.map_err(failed)
    }
}

impl Feedback for SqlFeedback {
    async fn record(&self, vote: &Vote, proposed: &Proposal) -> Result<Recorded, FeedbackError> {
        let now = time(proposed.now);
        let parameters = vec![
            Value::Text(proposed.id.clone()),
            Value::Text(vote.session_id.clone()),
            Value::Text(vote.message_id.clone()),
            Value::Integer(vote.thumbs_up.into()),
            vote.comment.clone().map_or(Value::Null, Value::Text),
            now.clone(),
            now,
        ];
        let rows = self.run(RECORD, parameters).await?;
        match rows.into_iter().flatten().next() {
            Some(Value::Text(id)) => Ok(Recorded { created: id == proposed.id, id }),
            _ => Err(malformed()),
        }
    }

    async fn list(&self, selection: &Selection) -> Result<Vec<Entry>, FeedbackError> {
        let (mut conditions, mut parameters) = (vec!["1 = 1".to_owned()], Vec::new());
        if let Some(Cursor { created_at, id }) = &selection.after {
            conditions.push("(created_at, id) < ($1, $2)".to_owned());
            parameters.extend([time(*created_at), Value::Text(id.clone())]);
        }
        if let Some(thumb) = selection.thumbs_up {
            parameters.push(Value::Integer(thumb.into()));
            conditions.push(format!("thumbs_up = ${}", parameters.len()));
        }
        parameters.push(Value::Integer(i64::try_from(selection.limit).unwrap_or(i64::MAX)));
        let sql = format!(
            "SELECT id, session_id, message_id, thumbs_up, comment, created_at, updated_at \
             FROM feedback WHERE {} ORDER BY created_at DESC, id DESC LIMIT ${}",
            conditions.join(" AND "),
            parameters.len()
        );
        let rows = self.run(&sql, parameters).await?;
        rows.into_iter().map(|row| entry(row).ok_or_else(malformed)).collect()
    }
}

fn entry(row: Row) -> Option<Entry> {
    let row: [Value; 7] = row.try_into().ok()?;
    let [id, session_id, message_id, thumbs_up, comment, created_at, updated_at] = row;
    let vote = Vote {
        session_id: text(session_id)?,
        message_id: text(message_id)?,
        thumbs_up: number(thumbs_up)? != 0,
        comment: text(comment),
    };
    let (created_at, updated_at) = (number(created_at)?, number(updated_at)?);
    Some(Entry { id: text(id)?, vote, created_at, updated_at })
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text),
        Value::Integer(_) | Value::Null => None,
    }
}

fn number(value: Value) -> Option<u64> {
    match value {
        Value::Integer(number) => u64::try_from(number).ok(),
        Value::Null | Value::Text(_) => None,
    }
}

fn time(milliseconds: u64) -> Value {
    Value::Integer(i64::try_from(milliseconds).unwrap_or(i64::MAX))
}

fn malformed() -> FeedbackError {
    FeedbackError { reason: "the table has rows of another shape".to_owned() }
}

/// Brings the schema up to date.
async fn migrate(database: &Database) -> Result<(), String> {
    let table = "CREATE TABLE IF NOT EXISTS feedback_schema (version BIGINT PRIMARY KEY)";
    let version = "SELECT COALESCE(MAX(version), 0) FROM feedback_schema";
    let note = "INSERT INTO feedback_schema (version) VALUES ($1) ON CONFLICT DO NOTHING";
    create(database, table).await?;
    let found = database.run(version, Vec::new()).await?.into_iter().flatten().next();
    let found = match found {
        Some(Value::Integer(found)) => usize::try_from(found).unwrap_or(usize::MAX),
        _ => return Err("the table feedback_schema is not ours".to_owned()),
    };
    let known = MIGRATIONS.len();
    if found > known {
        return Err(format!(
            "the database has schema {found}, known is up to {known}: update Dossier"
        ));
    }
    for (number, statements) in (1_i64..).zip(MIGRATIONS).skip(found) {
        for statement in *statements {
            create(database, statement).await?;
        }
        database.run(note, vec![Value::Integer(number)]).await?;
    }
    Ok(())
}

/// Runs a statement that creates what is not there yet.
async fn create(database: &Database, statement: &str) -> Result<(), String> {
    match database.run(statement, Vec::new()).await {
        // Of two instances that create the same, Postgres refuses the slower one, once the other is
        // done. The second time it finds it there.
        Err(_) => database.run(statement, Vec::new()).await.map(drop),
        Ok(_) => Ok(()),
    }
}
