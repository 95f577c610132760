//! An http server that answers every request with the same bytes, or those that it should.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

/// Starts one that lives as long as the test; its URL without a path.
///
/// What it serves was last changed at second 1,000,000,000.
pub fn serve(content: impl Into<Vec<u8>>) -> String {
    start(content.into(), None)
}

/// Starts one that answers only who says this as `Authorization`, and anyone else with 401.
pub fn serve_those_who_say(authorization: &str, content: impl Into<Vec<u8>>) -> String {
    start(content.into(), Some(format!("authorization: {authorization}\r\n")))
}

fn start(content: Vec<u8>, wanted: Option<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = listener.local_addr().expect("it listens");
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.expect("a client connects");
            let mut request = [0; 4096];
            let read = connection.read(&mut request).expect("a client asks");
            assert!(read > 0, "a request has at least a line");
            let request = String::from_utf8_lossy(&request[..read]);
            if wanted.as_ref().is_some_and(|wanted| !request.contains(wanted)) {
                let refusal =
                    "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                connection.write_all(refusal.as_bytes()).expect("the client waits for the answer");
                continue;
            }
            let length = content.len();
            let modified = "Last-Modified: Sat, 09 Sep 2001 01:46:40 GMT";
            write!(
                connection,
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{modified}\r\nConnection: close\r\n\r\n"
            )
            .and_then(|()| connection.write_all(&content))
            .expect("the client waits for the answer");
        }
    });
    format!("http://{address}")
}
