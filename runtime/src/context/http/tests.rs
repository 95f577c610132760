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
/// and of each request the first line and what it says as `Authorization`.
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
            let mut lines = request.lines();
            let first = lines.next().unwrap_or_default();
            let said = lines.find_map(|line| line.strip_prefix("authorization: "));
            let said = said.map(|said| format!(" as {said}")).unwrap_or_default();
            seen.lock().unwrap().push(format!("{first}{said}"));
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

fn redirect(to: &str) -> String {
    format!(
        "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
}

async fn get(op: &HttpOp, scratch: &Path) -> Result<Tree, ContextError> {
    get_knowing(&[], op, scratch).await
}

async fn get_knowing(
    secrets: &[(&str, &str)],
    op: &HttpOp,
    scratch: &Path,
) -> Result<Tree, ContextError> {
    let client = Client::new(crate::registry::Settings::default()).unwrap();
    let secrets = secrets.iter().map(|(id, text)| ((*id).to_owned(), text.as_bytes().to_vec()));
    let asker = Asker { client: &client, secrets: &secrets.collect() };
    fetch(op, asker, scratch, &CancellationToken::new()).await
}

#[tokio::test]
async fn a_file_comes_with_its_time_and_mode() {
    let answer = ok("Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "hello");
    let (address, _) = serve(&[&answer]).await;
    let dir = tempfile::tempdir().unwrap();
    let sha = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let tree = get(&op(&format!("http://{address}/x"), Some(sha)), dir.path()).await.unwrap();
    assert!(matches!(
        tree.look_up(Path::new("file"), &CancellationToken::new()).unwrap(),
        Lookup::Found(_)
    ));
    let meta = fs::metadata(dir.path().join("file")).unwrap();
    assert_eq!((meta.mode() & 0o7777, meta.mtime()), (0o600, 784_111_777));
    assert_eq!(fs::read_to_string(dir.path().join("file")).unwrap(), "hello");
}

#[tokio::test]
async fn redirects_are_followed_and_no_time_is_1970() {
    let (address, requests) = serve(&[&redirect("/y"), &ok("", "hello")]).await;
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
async fn secrets_for_a_host_are_told_to_it_alone() {
    const HEADER: (&str, &str) = ("HTTP_AUTH_HEADER_127.0.0.1", "Basic YTpi\n");
    const TOKEN: (&str, &str) = ("HTTP_AUTH_TOKEN_127.0.0.1", "hunter2\n");
    const OTHER: (&str, &str) = ("HTTP_AUTH_TOKEN_localhost", "other");
    let dir = tempfile::tempdir().unwrap();
    for (secrets, said) in [
        (&[HEADER, OTHER][..], " as Basic YTpi"),
        (&[TOKEN], " as Bearer hunter2"),
        (&[HEADER, TOKEN], " as Bearer hunter2"),
        (&[OTHER], ""),
    ] {
        // The second server is another one on this host, the third one of another host's name.
        let (third, third_saw) = serve(&[&ok("", "hello")]).await;
        let third = third.replace("127.0.0.1", "localhost");
        let (second, second_saw) = serve(&[&redirect(&format!("http://{third}/z"))]).await;
        let answers = [redirect("/same"), redirect(&format!("http://{second}/y"))];
        let (first, first_saw) = serve(&answers.each_ref().map(String::as_str)).await;
        let op = op(&format!("http://{first}/x"), None);
        get_knowing(secrets, &op, dir.path()).await.unwrap();
        let saw = first_saw.lock().unwrap().clone();
        assert_eq!(saw, [format!("GET /x HTTP/1.1{said}"), format!("GET /same HTTP/1.1{said}")]);
        assert_eq!(*second_saw.lock().unwrap(), ["GET /y HTTP/1.1"]);
        assert_eq!(*third_saw.lock().unwrap(), ["GET /z HTTP/1.1"]);
    }
    // More than the URL itself says.
    let (address, saw) = serve(&[&ok("", "hello")]).await;
    let op = op(&format!("http://user:password@{address}/x"), None);
    get_knowing(&[TOKEN], &op, dir.path()).await.unwrap();
    assert_eq!(*saw.lock().unwrap(), ["GET /x HTTP/1.1 as Bearer hunter2"]);
}

#[test]
fn who_may_know_what_a_host_does() {
    for (first, next, may) in [
        ("https://a/x", "https://a/y", true),
        ("http://a/x", "https://a/x", true),
        ("https://a/x", "http://a/x", false),
        ("https://a:444/x", "http://a:444/x", false),
        ("http://a:444/x", "https://a:444/x", false),
        ("https://a/x", "https://a:444/x", false),
        ("https://a/x", "https://b.a/x", false),
        ("https://a.b/x", "https://b/x", false),
    ] {
        let [first, next] = [first, next].map(|url| Url::parse(url).unwrap());
        assert_eq!(is_confidant(&first, &next), may, "{first} {next}");
    }
}

#[tokio::test]
async fn who_is_not_let_in_learns_how_to_ask() {
    let dir = tempfile::tempdir().unwrap();
    let (address, _) = serve(&[&status("401 Unauthorized"), &status("403 Forbidden")]).await;
    let op = op(&format!("http://{address}/x"), None);
    let error = get(&op, dir.path()).await.err().unwrap().to_string();
    assert!(error.contains("401") && error.contains("id=HTTP_AUTH_TOKEN_127.0.0.1"), "{error}");
    let token = [("HTTP_AUTH_TOKEN_127.0.0.1", "hunter2")];
    let error = get_knowing(&token, &op, dir.path()).await.err().unwrap();
    assert!(matches!(error, ContextError::Status { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    let two_lines = [("HTTP_AUTH_HEADER_127.0.0.1", "hunter2\nx: y")];
    let error = get_knowing(&two_lines, &op, dir.path()).await.err().unwrap();
    assert!(matches!(&error, ContextError::Authorization { id } if *id == two_lines[0].0));
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn redirects_end_somewhere() {
    let dir = tempfile::tempdir().unwrap();
    let again = redirect("/x");
    let (address, requests) = serve(&vec![again.as_str(); 20]).await;
    let error = get(&op(&format!("http://{address}/x"), None), dir.path()).await.err().unwrap();
    assert!(matches!(error, ContextError::Redirects { .. }), "{error}");
    assert_eq!(requests.lock().unwrap().len(), MAX_REDIRECTS + 1);
    let (address, _) = serve(&[&redirect("file:///etc/passwd")]).await;
    let error = get(&op(&format!("http://{address}/x"), None), dir.path()).await.err().unwrap();
    assert!(matches!(error, ContextError::Redirect { .. }), "{error}");
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
    let client = Client::new(crate::registry::Settings::default()).unwrap();
    let asker = Asker { client: &client, secrets: &BTreeMap::new() };
    let op = op("http://127.0.0.1:1/x", None);
    let error = fetch(&op, asker, dir.path(), &cancel).await.err().unwrap();
    assert!(matches!(error, ContextError::Cancelled { .. }), "{error}");
}
