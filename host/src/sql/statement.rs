//! What kind of statement a text is: enough to refuse files to SQLite, and to know which
//! connections carry state that the next user must not find.
//!
//! Reads words as SQLite does and no further. Whether the statement makes sense is the database's
//! business.

/// Words of a statement that are kept: `EXPLAIN QUERY PLAN`, and after it what decides.
const WORDS: usize = 6;

/// Stands for a name or text in quotes, which no rule below matches.
const QUOTED: &str = "\"";

/// A text of SQL as its first words.
#[derive(Debug)]
pub(super) struct Statement {
    /// First words of each statement in the text, in capitals.
    parts: Vec<Vec<String>>,
    writes: bool,
    numbered_from_zero: bool,
}

impl Statement {
    /// Reads a text.
    pub(super) fn read(sql: &str) -> Self {
        let mut statement = Self { parts: Vec::new(), writes: false, numbered_from_zero: false };
        let mut part = Vec::new();
        for token in Tokens(sql) {
            match token {
                Token::End => statement.parts.push(std::mem::take(&mut part)),
                Token::Quoted if part.len() < WORDS => part.push(QUOTED.to_owned()),
                Token::Quoted => {}
                Token::Word(word) => {
                    let word = word.to_ascii_uppercase();
                    statement.writes |= WRITES.contains(&word.as_str());
                    statement.numbered_from_zero |= word.starts_with("$0");
                    if part.len() < WORDS {
                        part.push(word);
                    }
                }
            }
        }
        statement.parts.push(part);
        statement.parts.retain(|part| !part.is_empty());
        statement
    }

    /// Whether rows may have been changed: one of the words that do so is there.
    pub(super) fn writes(&self) -> bool {
        self.writes
    }

    /// Whether a connection is afterwards as it was before, in all that a later user could notice.
    pub(super) fn leaves_no_trace(&self) -> bool {
        self.parts.iter().all(|part| PLAIN.contains(&keyword(part)))
    }

    /// Refuses what a guest may not do to SQLite: reach another file, change what the whole process
    /// shares, or put two statements where Spin runs one.
    ///
    /// # Errors
    ///
    /// The rule that is broken, in words for the guest.
    pub(super) fn permit_in_sqlite(&self) -> Result<(), String> {
        let [first, rest @ ..] = self.parts.as_slice() else {
            return Err("the statement is empty".to_owned());
        };
        // The statements inside a trigger end in semicolons too.
        let trigger = keyword(first) == "CREATE" && first.iter().any(|it| it == "TRIGGER");
        if !rest.is_empty() && !trigger {
            return Err("one statement at a time: found another after `;`".to_owned());
        }
        if self.numbered_from_zero {
            return Err("parameters are numbered from $1".to_owned());
        }
        for part in &self.parts {
            let keyword = keyword(part);
            if FILES.contains(&keyword) {
                return Err(format!("{keyword} is not allowed: it reaches other files"));
            }
            let pragma = part.iter().skip_while(|word| *word != keyword).nth(1);
            let pragma = pragma.map_or("", String::as_str);
            if keyword == "PRAGMA" && !PRAGMAS.contains(&pragma) {
                return Err(format!(
                    "PRAGMA {pragma} is not allowed; allowed: {}",
                    PRAGMAS.join(", ")
                ));
            }
        }
        Ok(())
    }
}

/// The word that says what is done; `EXPLAIN` is looked through, for some of it is done even so.
fn keyword(part: &[String]) -> &str {
    let mut words = part.iter().map(String::as_str);
    words.find(|word| !["EXPLAIN", "QUERY", "PLAN"].contains(word)).unwrap_or_default()
}

/// Statements that read or write rows and leave a connection's settings alone.
const PLAIN: &[&str] = &["DELETE", "INSERT", "REPLACE", "SELECT", "UPDATE", "VALUES", "WITH"];

const WRITES: &[&str] = &["DELETE", "INSERT", "REPLACE", "UPDATE"];

/// Statements that open or write a file by name. `VACUUM` has an `INTO`, and attaches even without.
const FILES: &[&str] = &["ATTACH", "DETACH", "VACUUM"];

/// Settings that concern the guest's own database alone; others move files, or set limits for the
/// process.
const PRAGMAS: &[&str] = &[
    "FOREIGN_KEYS",
    "FOREIGN_KEY_CHECK",
    "FOREIGN_KEY_LIST",
    "INDEX_INFO",
    "INDEX_LIST",
    "INTEGRITY_CHECK",
    "QUICK_CHECK",
    "TABLE_INFO",
    "TABLE_LIST",
    "USER_VERSION",
];

enum Token<'a> {
    Word(&'a str),
    Quoted,
    /// A semicolon.
    End,
}

/// The tokens of a text that matter here: comments, white space and signs are passed over.
struct Tokens<'a>(&'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let first = self.0.chars().next()?;
            match first {
                '-' if self.0.starts_with("--") => self.skip_past(2, "\n"),
                '/' if self.0.starts_with("/*") => self.skip_past(2, "*/"),
                '\'' | '"' | '`' => {
                    // A doubled quote reads as two texts side by side, which ends at the same place.
                    self.skip_past(1, first.encode_utf8(&mut [0; 4]));
                    return Some(Token::Quoted);
                }
                '[' => {
                    self.skip_past(1, "]");
                    return Some(Token::Quoted);
                }
                ';' => {
                    self.0 = &self.0[1..];
                    return Some(Token::End);
                }
                _ if in_word(first) => {
                    let end = self.0.find(|letter| !in_word(letter)).unwrap_or(self.0.len());
                    let (word, rest) = self.0.split_at(end);
                    self.0 = rest;
                    return Some(Token::Word(word));
                }
                _ => self.0 = &self.0[first.len_utf8()..],
            }
        }
    }
}

impl Tokens<'_> {
    /// Goes on after the next `end`, looked for from `from` bytes on; without one, to the end.
    fn skip_past(&mut self, from: usize, end: &str) {
        let found = self.0[from..].find(end);
        self.0 = found.map_or("", |at| &self.0[from + at + end.len()..]);
    }
}

/// A byte order mark is white space to SQLite, every other letter beyond ASCII part of a name.
fn in_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric()
        || "_$".contains(letter)
        || !letter.is_ascii() && letter != '\u{feff}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_takes_what_stays_in_its_file() {
        for sql in [
            "SELECT 1",
            "select ';', \"a;b\", [c;d] -- ; attach\n;",
            "INSERT INTO t VALUES ('it''s; attach')",
            "CREATE TABLE attach (vacuum TEXT)",
            "create trigger t after insert on a begin update a set b = 1; delete from c; end",
            "PRAGMA table_info(t)",
            "EXPLAIN QUERY PLAN SELECT 1",
            "BEGIN",
            "SELECT $1, $10",
        ] {
            assert_eq!(Statement::read(sql).permit_in_sqlite(), Ok(()), "{sql}");
        }
    }

    #[test]
    fn sqlite_is_refused_other_files_and_shared_settings() {
        for (sql, rule) in [
            ("ATTACH '/etc/x' AS y", "ATTACH"),
            ("\u{feff} aTtAcH DATABASE 'x' AS y", "ATTACH"),
            ("/* ; */ -- x\n attach 'x' as y", "ATTACH"),
            ("explain attach 'x' as y", "ATTACH"),
            ("VACUUM INTO '/tmp/x'", "VACUUM"),
            ("create trigger t after insert on a begin select 1; end; attach 'x' as y", "ATTACH"),
            ("PRAGMA hard_heap_limit = 1", "HARD_HEAP_LIMIT"),
            ("PRAGMA \"hard_heap_limit\"(table_info)", "PRAGMA"),
            ("EXPLAIN PRAGMA main.user_version", "PRAGMA MAIN"),
            ("SELECT 1; SELECT 2", "one statement"),
            ("SELECT ''; ATTACH 'x' AS y", "one statement"),
            ("SELECT $0", "from $1"),
            (" -- nothing", "empty"),
        ] {
            let refused = Statement::read(sql).permit_in_sqlite().unwrap_err();
            assert!(refused.contains(rule), "{sql}: {refused}");
        }
    }

    #[test]
    fn what_a_connection_keeps() {
        let check = |sql, traceless, writes| {
            let statement = Statement::read(sql);
            assert_eq!(
                (statement.leaves_no_trace(), statement.writes()),
                (traceless, writes),
                "{sql}"
            );
        };
        check("SELECT 1", true, false);
        check("with x as (select 1) insert into t select * from x", true, true);
        check("BEGIN", false, false);
        check("CREATE TEMP TABLE t (a)", false, false);
        check("SET search_path TO x", false, false);
    }
}
