//! Where a Postgres server is and who connects: a URL, or `host=… user=…` as libpq writes it.
//!
//! Only what is listed here is understood. Whatever would reach a file of this machine, such as a
//! socket, a password file or a certificate's path, is refused.

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

/// The port of a server that names none.
pub(super) const PORT: u16 = 5432;

/// A parsed address. It holds a password, so it has no `Debug`.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
    user: String,
    password: String,
    database: String,
    application: String,
    tls: PgSslMode,
}

impl Address {
    /// Parses either form.
    ///
    /// # Errors
    ///
    /// What is missing or not understood, without any of the values.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut address = Self {
            host: String::new(),
            port: PORT,
            user: String::new(),
            password: String::new(),
            database: String::new(),
            application: String::new(),
            tls: PgSslMode::Prefer,
        };
        match text.starts_with("postgres://") || text.starts_with("postgresql://") {
            true => address.read_url(text)?,
            false => address.read_pairs(text)?,
        }
        if address.host.is_empty() || address.host.contains(['/', ',']) {
            return Err("the address must name one host, and no socket".to_owned());
        }
        if address.user.is_empty() {
            return Err("the address must name a user".to_owned());
        }
        if address.database.is_empty() {
            address.database.clone_from(&address.user);
        }
        Ok(address)
    }

    /// What the driver needs. Whatever it would otherwise take from the environment of the host's
    /// process is set, the password included.
    pub(super) fn options(&self) -> PgConnectOptions {
        let options = PgConnectOptions::new_without_pgpass()
            .host(&self.host)
            .port(self.port)
            .username(&self.user)
            .password(&self.password)
            .database(&self.database)
            .ssl_mode(self.tls);
        options.application_name(&self.application)
    }

    fn read_url(&mut self, text: &str) -> Result<(), String> {
        let url = Url::parse(text).map_err(|error| format!("the address is no URL: {error}"))?;
        let host = url.host_str().unwrap_or_default();
        // Brackets are the URL's, not the address's.
        self.host = decode(host.trim_start_matches('[').trim_end_matches(']'))?;
        self.port = url.port().unwrap_or(PORT);
        self.user = decode(url.username())?;
        self.password = decode(url.password().unwrap_or_default())?;
        self.database = decode(url.path().trim_start_matches('/'))?;
        url.query_pairs().try_for_each(|(key, value)| self.set(&key, value.into_owned()))
    }

    fn read_pairs(&mut self, text: &str) -> Result<(), String> {
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (key, after) = rest.split_once('=').ok_or(
                "the address is neither a URL (postgres://user@host/database) nor pairs (host=… user=…)",
            )?;
            let (value, after) = quoted(after.trim_start())?;
            self.set(key.trim(), value)?;
            rest = after.trim_start();
        }
        Ok(())
    }

    fn set(&mut self, key: &str, value: String) -> Result<(), String> {
        match key {
            "host" => self.host = value,
            "port" => {
                self.port = value.parse().map_err(|_| "the port must be 1 to 65535".to_owned())?;
            }
            "user" => self.user = value,
            "password" => self.password = value,
            "dbname" => self.database = value,
            "application_name" => self.application = value,
            "sslmode" => {
                self.tls =
                    match value.as_str() {
                        "disable" => PgSslMode::Disable,
                        "prefer" => PgSslMode::Prefer,
                        "require" => PgSslMode::Require,
                        "verify-ca" => PgSslMode::VerifyCa,
                        "verify-full" => PgSslMode::VerifyFull,
                        _ => return Err(
                            "sslmode must be disable, prefer, require, verify-ca or verify-full"
                                .to_owned(),
                        ),
                    };
            }
            other => {
                return Err(format!(
                    "{other:?} is not supported in an address; supported: host, port, user, \
                     password, dbname, sslmode, application_name"
                ));
            }
        }
        Ok(())
    }
}

/// Takes a value off the front: in single quotes with `\` before `'` and `\`, or up to white space.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let mut letters = text.char_indices();
    let quotes = text.starts_with('\'');
    if quotes {
        letters.next();
    }
    let mut value = String::new();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\'' if quotes => return Ok((value, &text[at + 1..])),
            '\\' => value.extend(letters.next().map(|(_, letter)| letter)),
            letter if !quotes && letter.is_whitespace() => return Ok((value, &text[at..])),
            letter => value.push(letter),
        }
    }
    if quotes { Err("a quote in the address is not closed".to_owned()) } else { Ok((value, "")) }
}

/// Resolves the `%41` of URLs; a plus sign stands for itself outside of queries.
fn decode(text: &str) -> Result<String, String> {
    let fault = || "the address holds a broken % sequence".to_owned();
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else { return Err(fault()) };
        bytes.extend(u8::try_from(high * 16 + low));
    }
    String::from_utf8(bytes).map_err(|_| fault())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: (&str, u16, &str, &str, &str)) {
        let address = Address::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault}"));
        let Address { host, port, user, password, database, .. } = &address;
        assert_eq!(
            (host.as_str(), *port, user.as_str(), password.as_str(), database.as_str()),
            expected
        );
    }

    #[test]
    fn both_forms_are_read() {
        check("postgres://ada@db.example/notes", ("db.example", 5432, "ada", "", "notes"));
        check(
            "postgresql://ada:p%40ss%2F+@db:6000/?sslmode=require&application_name=x",
            ("db", 6000, "ada", "p@ss/+", "ada"),
        );
        check("postgres://ada@[::1]:1/n", ("::1", 1, "ada", "", "n"));
        check("host=db user=ada", ("db", 5432, "ada", "", "ada"));
        check(
            r"host = db port=6000 user=ada password='it\'s a \\' dbname=notes",
            ("db", 6000, "ada", r"it's a \", "notes"),
        );
    }

    #[test]
    fn what_would_reach_files_or_is_not_understood_is_refused() {
        for (text, rule) in [
            ("postgres://ada@%2Fvar%2Frun/notes", "no socket"),
            ("postgres://ada@db/notes?host=/var/run", "no socket"),
            ("host=a,b user=ada", "one host"),
            ("host=db", "user"),
            ("postgres:///notes", "host"),
            ("postgres://ada@db/notes?sslrootcert=/etc/x", "sslrootcert"),
            ("host=db user=ada passfile=/etc/x", "passfile"),
            ("postgres://ada@db/notes?sslmode=maybe", "sslmode"),
            ("host=db user='ada", "not closed"),
            ("nonsense", "neither a URL"),
        ] {
            let fault = Address::parse(text).err().unwrap_or_default();
            assert!(fault.contains(rule), "{text}: {fault}");
        }
        let fault =
            Address::parse("postgres://ada:hunter2@db/notes?sslmode=hunter2").err().unwrap();
        assert!(!fault.contains("hunter2"), "{fault}");
    }
}
