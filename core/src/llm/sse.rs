//! Server-sent events as they arrive: bytes with any borders in, the data of whole events out.
//!
//! Names, ids and comments are dropped: the data of a chat completion tells what it is.

/// Largest event, in bytes. A piece of a completion takes some hundred; a quarter of a mebibyte
/// lets a server send a whole answer in one and still bounds what a broken one can make us keep.
const MAX_EVENT_BYTES: usize = 256 * 1024;

/// A reader of events.
#[derive(Debug, Default)]
pub struct Events {
    /// What has arrived and is not read yet.
    bytes: Vec<u8>,
    /// How much of it has been read.
    read: usize,
    /// The lines of data of the event under way.
    data: Option<String>,
    /// Whether a carriage return ended the last line, so that a line feed belongs to it.
    returned: bool,
    /// Whether the first line is behind us; only it can begin with a byte order mark.
    begun: bool,
}

impl Events {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`TooLong`]: the event under way is larger than any server's should be.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        self.bytes.drain(..self.read);
        self.read = 0;
        self.bytes.extend_from_slice(bytes);
        let under_way = self.data.as_ref().map_or(0, String::len);
        // What waits may be several events, but no network hands over that much at once.
        match self.bytes.len() + under_way > MAX_EVENT_BYTES {
            true => Err(TooLong),
            false => Ok(()),
        }
    }

    /// Returns the data of the next event, or `None` until more has arrived.
    pub fn next_event(&mut self) -> Option<String> {
        loop {
            let line = self.next_line()?;
            match line.is_empty() {
                true => match self.data.take() {
                    Some(data) => return Some(data),
                    None => continue,
                },
                false => self.field(&line),
            }
        }
    }

    /// Returns the event that the end of the transfer cut off, as far as it came: some servers
    /// leave out the empty line after the last one.
    pub fn finish(mut self) -> Option<String> {
        let rest = self.bytes.split_off(self.read.min(self.bytes.len()));
        let rest = String::from_utf8_lossy(&rest).into_owned();
        self.field(rest.trim_end_matches(['\r', '\n']));
        self.data
    }

    fn next_line(&mut self) -> Option<String> {
        if self.returned && self.bytes.get(self.read) == Some(&b'\n') {
            self.read += 1;
            self.returned = false;
        }
        let waiting = self.bytes.get(self.read..).unwrap_or_default();
        let end = waiting.iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
        // A line ends at an ASCII byte, so no character is ever cut.
        let line = String::from_utf8_lossy(&waiting[..end]).into_owned();
        self.returned = waiting[end] == b'\r';
        self.read += end + 1;
        match std::mem::replace(&mut self.begun, true) {
            true => Some(line),
            false => Some(line.trim_start_matches('\u{feff}').to_owned()),
        }
    }

    fn field(&mut self, line: &str) {
        // A line that begins with a colon is a comment: its name is empty.
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        if name != "data" {
            return;
        }
        let value = value.strip_prefix(' ').unwrap_or(value);
        match &mut self.data {
            Some(data) => {
                data.push('\n');
                data.push_str(value);
            }
            none => *none = Some(value.to_owned()),
        }
    }
}

/// An event is larger than any server's should be.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("an event of more than {MAX_EVENT_BYTES} bytes")]
pub struct TooLong;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::SeededEntropy;

    fn read(pieces: &[&[u8]]) -> Vec<String> {
        let mut events = Events::default();
        let mut found = Vec::new();
        for piece in pieces {
            events.push(piece).unwrap();
            found.extend(std::iter::from_fn(|| events.next_event()));
        }
        found.extend(events.finish());
        found
    }

    fn check(bytes: &str, expected: &[&str]) {
        assert_eq!(read(&[bytes.as_bytes()]), expected, "{bytes:?}");
    }

    #[test]
    fn an_event_is_its_lines_of_data() {
        check("data: a\n\ndata: b\n\n", &["a", "b"]);
        check("data:a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]);
        check("data: a\r\rdata: b\r\r", &["a", "b"]);
        check("\u{feff}data: a\n\n", &["a"]);
        check(": comment\nevent: x\nid: 1\nretry: 2\ndata: a\n\n", &["a"]);
        check("data: a\ndata: b\n\n", &["a\nb"]);
        check("data:  two spaces, one of them ours\n\n", &[" two spaces, one of them ours"]);
        check("data\n\n", &[""]);
        check("event: nothing\n\n\n\ndatas: x\n\n", &[]);
        check("data: {\"a\": \"ü€🚀\"}\n\n", &["{\"a\": \"ü€🚀\"}"]);
        check("data: a\n\ndata: [DONE]", &["a", "[DONE]"]);
        check("data: a\n\ndata: [DONE]\n", &["a", "[DONE]"]);
        check("", &[]);
    }

    const STREAM: &str = "\u{feff}: hi\r\n\r\ndata: {\"é\":\"🚀\"}\r\n\r\nevent: x\rdata: a\rdata:b\r\r\
                          data: ¡\n\ndata: [DONE]\n\n";

    #[test]
    fn no_border_between_pieces_means_anything() {
        let expected = ["{\"é\":\"🚀\"}", "a\nb", "¡", "[DONE]"];
        let bytes = STREAM.as_bytes();
        assert_eq!(read(&[bytes]), expected);
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                assert_eq!(read(&pieces), expected, "borders {first} and {second}");
            }
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(read(&single), expected);
        let random = SeededEntropy::new(1);
        for _ in 0..500 {
            let (mut pieces, mut rest) = (Vec::new(), bytes);
            while !rest.is_empty() {
                let (piece, after) = rest.split_at((random.next() as usize % 9).min(rest.len()));
                pieces.push(piece);
                rest = after;
            }
            assert_eq!(read(&pieces), expected, "{pieces:?}");
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut events = Events::default();
        let piece = [b'x'; 1024];
        let kept = (0..1000).take_while(|_| events.push(&piece).is_ok()).count();
        assert_eq!(kept, MAX_EVENT_BYTES / 1024);
        let mut events = Events::default();
        let line = format!("data: {}\n", "x".repeat(1000));
        let kept = (0..1000).take_while(|_| {
            let pushed = events.push(line.as_bytes()).is_ok();
            pushed && events.next_event().is_none()
        });
        assert!((250..270).contains(&kept.count()), "lines of one event count together");
    }
}
