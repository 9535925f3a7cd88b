//! Which component answers a path: Spin's rules.
//!
//! A route is a list of segments: literals, `:name` for any one segment, and a last `...` for any
//! remainder, none included. The most specific route wins; a trailing slash is ignored when
//! matching, and kept in the remainder. What is done with the match is the server's business.

use crate::manifest::{ManifestFault, Trigger};

/// The routes of an application, most specific first.
#[derive(Clone, Debug)]
pub struct Routes {
    routes: Vec<(Pattern, Trigger)>,
}

impl Routes {
    /// Sorts the triggers of a checked manifest.
    ///
    /// # Errors
    ///
    /// A route that [`Pattern::parse`] refuses.
    pub fn new(triggers: &[Trigger]) -> Result<Self, ManifestFault> {
        let mut routes = triggers
            .iter()
            .map(|trigger| Ok((Pattern::parse(&trigger.route)?, trigger.clone())))
            .collect::<Result<Vec<_>, ManifestFault>>()?;
        // Segment kinds are ordered from specific to general, so comparing them one by one puts
        // `/a/b` before `/a/:x` before `/a/...` before `/...`.
        routes.sort_by(|(a, _), (b, _)| a.specificity().cmp(b.specificity()));
        Ok(Self { routes })
    }

    /// Finds the component for a path (without query), or `None`.
    pub fn find<'r>(&'r self, path: &str) -> Option<Match<'r>> {
        self.routes.iter().find_map(|(pattern, trigger)| {
            let captured = pattern.capture(path)?;
            Some(Match { trigger, rest: captured.rest, parameters: captured.parameters })
        })
    }
}

/// A path that found its component.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Match<'r> {
    /// The route and component.
    pub trigger: &'r Trigger,
    /// What `...` stands for, with its leading slash; empty for other routes.
    pub rest: String,
    /// What each `:name` stands for.
    pub parameters: Vec<(&'r str, String)>,
}

impl Match<'_> {
    /// The route without its wildcard: `/admin` for `/admin/...`, empty for `/...`.
    pub fn prefix(&self) -> &str {
        let route = self.trigger.route.as_str();
        route.strip_suffix("/...").unwrap_or(route)
    }
}

/// One parsed route.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pattern {
    segments: Vec<Segment>,
}

impl Pattern {
    /// Parses a route such as `/docs/:page` or `/admin/...`.
    ///
    /// # Errors
    ///
    /// No leading slash, `...` anywhere but last, an empty segment or name, or a reserved path.
    pub fn parse(route: &str) -> Result<Self, ManifestFault> {
        let invalid = |reason| ManifestFault::InvalidRoute { route: route.to_owned(), reason };
        if !route.starts_with('/') {
            return Err(invalid("it does not start with a slash"));
        }
        if route.starts_with("/.well-known/spin/") {
            return Err(ManifestFault::ReservedRoute { route: route.to_owned() });
        }
        let inner = trim(route);
        let mut segments = Vec::new();
        if inner.is_empty() {
            return Ok(Self { segments });
        }
        let mut pieces = inner.split('/').peekable();
        while let Some(piece) = pieces.next() {
            segments.push(match piece {
                "" => return Err(invalid("it has an empty segment")),
                "..." if pieces.peek().is_some() => {
                    return Err(invalid("`...` may only come last"));
                }
                "..." => Segment::Rest,
                ":" => return Err(invalid("a parameter has no name")),
                _ => match piece.strip_prefix(':') {
                    Some(name) => Segment::Parameter(name.to_owned()),
                    None => Segment::Literal(piece.to_owned()),
                },
            });
        }
        Ok(Self { segments })
    }

    /// Whether two routes match exactly the same paths.
    pub(crate) fn same_paths(&self, other: &Self) -> bool {
        self.segments.len() == other.segments.len()
            && self.segments.iter().zip(&other.segments).all(|pair| match pair {
                (Segment::Literal(a), Segment::Literal(b)) => a == b,
                (Segment::Parameter(_), Segment::Parameter(_)) | (Segment::Rest, Segment::Rest) => {
                    true
                }
                _ => false,
            })
    }

    fn specificity(&self) -> impl Iterator<Item = u8> + use<'_> {
        // A route that has ended is more specific than one that goes on with `...` and never
        // competes with one that goes on with a literal.
        let ranks = self.segments.iter().map(|segment| match segment {
            Segment::Literal(_) => 0,
            Segment::Parameter(_) => 1,
            Segment::Rest => 3,
        });
        ranks.chain([2])
    }

    fn capture(&self, path: &str) -> Option<Captured<'_>> {
        let inner = trim(path);
        let mut pieces = inner.split('/').filter(|_| !inner.is_empty());
        let mut parameters = Vec::new();
        for segment in &self.segments {
            match segment {
                Segment::Literal(literal) => {
                    if pieces.next()? != literal {
                        return None;
                    }
                }
                Segment::Parameter(name) => {
                    let value = pieces.next().filter(|value| !value.is_empty())?;
                    parameters.push((name.as_str(), value.to_owned()));
                }
                Segment::Rest => {
                    let mut rest = String::new();
                    for piece in pieces {
                        rest.push('/');
                        rest.push_str(piece);
                    }
                    if path.ends_with('/') {
                        rest.push('/');
                    }
                    return Some(Captured { rest, parameters });
                }
            }
        }
        match pieces.next() {
            Some(_) => None,
            None => Some(Captured { rest: String::new(), parameters }),
        }
    }
}

struct Captured<'r> {
    rest: String,
    parameters: Vec<(&'r str, String)>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Segment {
    Literal(String),
    Parameter(String),
    Rest,
}

/// Drops the leading slash and one trailing slash.
fn trim(path: &str) -> &str {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.strip_suffix('/').unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(routes: &[&str]) -> Routes {
        let triggers: Vec<_> = routes
            .iter()
            .map(|route| Trigger { route: (*route).to_owned(), component: (*route).to_owned() })
            .collect();
        Routes::new(&triggers).unwrap()
    }

    /// Expects `path` to be answered by `expected` (a route) with this remainder.
    fn check(routes: &Routes, path: &str, expected: Option<(&str, &str)>) {
        let found = routes.find(path);
        let found = found.as_ref().map(|found| (found.trigger.route.as_str(), found.rest.as_str()));
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn exact_routes_match_only_themselves() {
        let routes = routes(&["/chat", "/chat/stream", "/"]);
        check(&routes, "/chat", Some(("/chat", "")));
        check(&routes, "/chat/", Some(("/chat", "")));
        check(&routes, "/chat/stream", Some(("/chat/stream", "")));
        check(&routes, "/", Some(("/", "")));
        check(&routes, "/chatter", None);
        check(&routes, "/chat/x", None);
        check(&routes, "/chat//", None);
        check(&routes, "/x", None);
    }

    #[test]
    fn the_longest_wildcard_wins_in_any_order() {
        for order in [
            ["/...", "/admin/...", "/admin/users/...", "/admin/users"],
            ["/admin/users", "/admin/users/...", "/admin/...", "/..."],
        ] {
            let routes = routes(&order);
            check(&routes, "/admin", Some(("/admin/...", "")));
            check(&routes, "/admin/", Some(("/admin/...", "/")));
            check(&routes, "/admin/x/y", Some(("/admin/...", "/x/y")));
            check(&routes, "/admin/users", Some(("/admin/users", "")));
            check(&routes, "/admin/users/7/", Some(("/admin/users/...", "/7/")));
            check(&routes, "/administrator", Some(("/...", "/administrator")));
            check(&routes, "/", Some(("/...", "/")));
        }
    }

    #[test]
    fn parameters_lose_to_literals_and_beat_wildcards() {
        let routes = routes(&["/docs/...", "/docs/:page", "/docs/index"]);
        check(&routes, "/docs/index", Some(("/docs/index", "")));
        check(&routes, "/docs/a/b", Some(("/docs/...", "/a/b")));
        let found = routes.find("/docs/faq").unwrap();
        assert_eq!(found.trigger.route, "/docs/:page");
        assert_eq!(found.parameters, [("page", "faq".to_owned())]);
    }

    #[test]
    fn the_prefix_drops_the_wildcard() {
        let routes = routes(&["/...", "/admin/..."]);
        assert_eq!(routes.find("/admin/x").unwrap().prefix(), "/admin");
        assert_eq!(routes.find("/x").unwrap().prefix(), "");
    }
}
