//! Downloads from a server on this machine.

use std::collections::VecDeque;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Mutex;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::context::source::Lookup;

/// Answers requests, one connection each, with what it was given, in order. Returns its address
/// and the first lines of the requests.
async fn serve(answers: &[&str]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut answers: VecDeque<String> = answers.iter().map(|&answer| answer.to_owned()).collect();
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Some(answer) = answers.pop_front() {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let read = stream.read(&mut request).await.unwrap();
            let request = String::from_utf8_lossy(&request[..read]).into_owned();
            seen.lock().unwrap().push(request.lines().next().unwrap_or_default().to_owned());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (address, requests)
}

fn ok(headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n{body}",
        body.len()
    )
}

fn status(status: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

fn op(url: &str, checksum: Option<&str>) -> HttpOp {
    HttpOp {
        url: url.to_owned(),
        filename: "file".to_owned(),
        checksum: checksum.map(|checksum| checksum.parse().unwrap()),
    }
}

fn client() -> Client {
    // Fails if one is installed already, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::builder().no_proxy().build().unwrap()
}

async fn get(op: &HttpOp, scratch: &Path) -> Result<Tree, ContextError> {
    let client = client();
    fetch(op, &client, scratch, &CancellationToken::new()).await
}

#[tokio::test]
async fn a_file_comes_with_its_time_and_mode() {
    let answer = ok("Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "hello");
    let (address, _) = serve(&[&answer]).await;
    let dir = tempfile::tempdir().unwrap();
    let sha = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let tree = get(&op(&format!("http://{address}/x"), Some(sha)), dir.path()).await.unwrap();
    assert!(matches!(tree.look_up(Path::new("file")).unwrap(), Lookup::Found(_)));
    let meta = fs::metadata(dir.path().join("file")).unwrap();
    assert_eq!((meta.mode() & 0o7777, meta.mtime()), (0o600, 784_111_777));
    assert_eq!(fs::read_to_string(dir.path().join("file")).unwrap(), "hello");
}

#[tokio::test]
async fn redirects_are_followed_and_no_time_is_1970() {
    let redirect = "HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 0\r\n\
                    Connection: close\r\n\r\n";
    let (address, requests) = serve(&[redirect, &ok("", "hello")]).await;
    let dir = tempfile::tempdir().unwrap();
    get(&op(&format!("http://{address}/x"), None), dir.path()).await.unwrap();
    assert_eq!(*requests.lock().unwrap(), ["GET /x HTTP/1.1", "GET /y HTTP/1.1"]);
    assert_eq!(fs::metadata(dir.path().join("file")).unwrap().mtime(), 0);
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nlonger than it";
    let answers = [&status("503 Busy"), cut, &ok("", "hello")];
    let (address, requests) = serve(&answers).await;
    let dir = tempfile::tempdir().unwrap();
    get(&op(&format!("http://{address}/x"), None), dir.path()).await.unwrap();
    assert_eq!(requests.lock().unwrap().len(), 3);
    assert_eq!(fs::read_to_string(dir.path().join("file")).unwrap(), "hello");
}

#[tokio::test]
async fn errors_name_the_url_but_nothing_secret_in_it() {
    let (address, requests) = serve(&[&status("404 Not Found"), &ok("", "other")]).await;
    let dir = tempfile::tempdir().unwrap();
    let url = format!("http://user:hunter2@{address}/x?sig=hunter2#hunter2");
    let error = get(&op(&url, None), dir.path()).await.err().unwrap();
    let message = format!("cannot fetch `http://{address}/x`: the server answered 404 Not Found");
    assert_eq!(error.to_string(), message);

    let sha = format!("sha256:{}", "0".repeat(64));
    let error = get(&op(&url, Some(&sha)), dir.path()).await.err().unwrap();
    assert!(matches!(error, ContextError::Checksum { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    assert_eq!(requests.lock().unwrap().len(), 2);

    let url = "http://user:hunter2@[::1/?hunter2";
    let error = get(&op(url, None), dir.path()).await.err().unwrap();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn a_name_cannot_leave_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["", ".", "..", "../x", "a/b"] {
        let mut op = op("http://127.0.0.1:1/x", None);
        name.clone_into(&mut op.filename);
        let error = get(&op, dir.path()).await.err().unwrap();
        assert!(matches!(error, ContextError::Name { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_cancelled_download_ends() {
    let dir = tempfile::tempdir().unwrap();
    let cancel = CancellationToken::new();
    cancel.cancel();
    let client = client();
    let op = op("http://127.0.0.1:1/x", None);
    let error = fetch(&op, &client, dir.path(), &cancel).await.err().unwrap();
    assert!(matches!(error, ContextError::Cancelled { .. }), "{error}");
}
