//! Small services on loopback, each as good or as bad as a test needs it.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

/// Starts a service that lives as long as the process; `behave` gets each connection once its
/// request was read, and the request's head. Returns the origin.
pub(crate) fn service(behave: impl Fn(&mut TcpStream, &str) + Copy + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            thread::spawn(move || {
                let head = read_request(&mut connection);
                behave(&mut connection, &head);
            });
        }
    });
    origin
}

/// Sends a reply and closes the connection. A client that has seen enough may be gone.
pub(crate) fn answer(connection: &mut TcpStream, head: &str, body: &str) {
    let length = body.len();
    let head = format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    let _ = connection.write_all(head.as_bytes());
    let _ = connection.write_all(body.as_bytes());
}

/// Sends the head and the beginning of a longer reply, and then nothing until the client gives up.
pub(crate) fn stall(connection: &mut TcpStream, head: &str, beginning: &str) {
    let head = format!("HTTP/1.1 {head}\r\ncontent-length: 1000\r\n\r\n{beginning}");
    let _ = connection.write_all(head.as_bytes());
    wait(connection);
}

/// Says nothing until the client gives up.
pub(crate) fn wait(connection: &mut TcpStream) {
    let _ = connection.read(&mut [0]);
}

/// Reads a request to its end, and returns its head in lower case.
fn read_request(connection: &mut TcpStream) -> String {
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let read = connection.read(&mut buffer).unwrap_or(0);
        request.extend_from_slice(&buffer[..read]);
        let end = request.windows(4).position(|it| it == b"\r\n\r\n");
        let head = String::from_utf8_lossy(&request[..end.unwrap_or(0)]).to_lowercase();
        let length = head.lines().find_map(|it| it.strip_prefix("content-length: "));
        let whole = match (end, length) {
            (None, _) => false,
            (Some(end), Some(length)) => request.len() - end - 4 >= length.parse().unwrap(),
            // Of unknown length: in chunks, the last of which is empty.
            (Some(_), None) => request.ends_with(b"0\r\n\r\n"),
        };
        if whole || read == 0 {
            return head;
        }
    }
}
