//! Which part of the listing is wanted: a page, from a place on, of one thumb or both.

use std::{fmt, str::FromStr};

use crate::{RequestError, ports::Entry, wire::FieldError};

/// Entries of a page unless the request says otherwise: what fits a screen.
pub const LIMIT: usize = 20;

/// Most entries of a page: a hundred of the longest comments are 400 KiB at the worst.
pub const MAX_LIMIT: usize = 100;

/// A page of the listing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Selection {
    /// Most entries wanted.
    pub limit: usize,
    /// The entry after which the page begins; `None` for the newest.
    pub after: Option<Cursor>,
    /// The one thumb wanted.
    pub thumbs_up: Option<bool>,
}

impl Default for Selection {
    fn default() -> Self {
        Self { limit: LIMIT, after: None, thumbs_up: None }
    }
}

impl Selection {
    /// Reads a query string; parameters it does not know are passed over, and of two equal ones the
    /// last counts.
    ///
    /// # Errors
    /// [`RequestError::Invalid`] with every parameter at fault.
    pub fn from_query(query: &str) -> Result<Self, RequestError> {
        let mut selection = Self::default();
        let mut faults = Vec::new();
        // None of the values needs to be escaped in a query, so an escape is a wrong value.
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            let fault = match name {
                "limit" => match value.parse() {
                    Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => {
                        selection.limit = limit;
                        continue;
                    }
                    _ => format!("limit must be 1 to {MAX_LIMIT}"),
                },
                "cursor" => match value.parse() {
                    Ok(cursor) => {
                        selection.after = Some(cursor);
                        continue;
                    }
                    Err(()) => "cursor must be the next_cursor of an earlier page".to_owned(),
                },
                "thumbs_up" => match value.parse() {
                    Ok(thumb) => {
                        selection.thumbs_up = Some(thumb);
                        continue;
                    }
                    Err(_) => "thumbs_up must be true or false".to_owned(),
                },
                _ => continue,
            };
            faults.push(FieldError { field: name.to_owned(), message: fault });
        }
        if faults.is_empty() {
            Ok(selection)
        } else {
            Err(RequestError::Invalid { fields: faults })
        }
    }
}

/// A place in the listing. Entries that are added later do not move it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Cursor {
    /// When the entry there was created, in milliseconds since the Unix epoch.
    pub created_at: u64,
    /// Its id.
    pub id: String,
}

impl Cursor {
    /// The place of `entry`.
    pub fn of(entry: &Entry) -> Self {
        Self { created_at: entry.created_at, id: entry.id.clone() }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.created_at, self.id)
    }
}

impl FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (created_at, id) = text.split_once('.').ok_or(())?;
        // Databases count in signed numbers.
        let created_at =
            created_at.parse().ok().filter(|it| i64::try_from(*it).is_ok()).ok_or(())?;
        let legal = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
        match id.len() == 36 && id.bytes().all(legal) {
            true => Ok(Self { created_at, id: id.to_owned() }),
            false => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "00112233-4455-4677-8899-aabbccddeeff";

    #[test]
    fn queries_are_read() {
        let check = |query: &str, expected| assert_eq!(Selection::from_query(query), Ok(expected));
        check("", Selection::default());
        check("page=2&limit=7&limit=1&x", Selection { limit: 1, ..Selection::default() });
        let after = Cursor { created_at: 1_500, id: ID.to_owned() };
        check(
            &format!("cursor={after}&thumbs_up=false&limit=100"),
            Selection { limit: 100, after: Some(after), thumbs_up: Some(false) },
        );
    }

    #[test]
    fn broken_queries_name_the_parameter() {
        for (query, name) in [
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("limit=-1", "limit"),
            ("limit=", "limit"),
            ("thumbs_up=1", "thumbs_up"),
            ("cursor=", "cursor"),
            ("cursor=5", "cursor"),
            ("cursor=5.abc", "cursor"),
            (&format!("cursor=99999999999999999999.{ID}"), "cursor"),
            (&format!("cursor=9999999999999999999.{ID}"), "cursor"),
            (&format!("cursor=5.{}", "'".repeat(36)), "cursor"),
        ] {
            let Err(RequestError::Invalid { fields }) = Selection::from_query(query) else {
                panic!("{query}")
            };
            assert_eq!(fields[0].field, name, "{query}");
        }
    }
}
