//! Git's protocol over HTTP: the client of the registries below the library's protocol.

use std::io::{self, BufRead, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Buf as _, Bytes};
use gix_transport::client::blocking_io::http::{GetResponse, Http, PostBodyDataKind, PostResponse};
use reqwest::header::AUTHORIZATION;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};

use super::access::Authorization;
use super::error::GitError;
use super::line::Line;
use crate::context::http::{Astray, MAX_REDIRECTS, is_confidant, next};
use crate::registry::Client;

/// One server.
pub(super) struct Connection {
    pub(super) line: Arc<Line>,
    pub(super) client: Client,
    pub(super) authorization: Option<Authorization>,
    /// For errors: host and port.
    pub(super) host: String,
    /// Where `authorization` may be sent.
    pub(super) ours: Url,
    /// Where the repository turned out to be.
    pub(super) moved: Option<String>,
}

impl Connection {
    fn request(
        &self,
        method: Method,
        url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> io::Result<RequestBuilder> {
        let failed = |source| GitError::Transfer { url: self.line.url.clone(), source };
        let url = Url::parse(url).map_err(|error| self.line.fail(failed(error.into())))?;
        let client = self.client.downloads(&url);
        let client = client.map_err(|error| self.line.fail(failed(error.into())))?;
        let mut request = client.request(method, url.clone());
        for header in headers {
            if let Some((name, value)) = header.as_ref().split_once(':') {
                request = request.header(name, value.trim());
            }
        }
        Ok(match &self.authorization {
            Some(known) if is_confidant(&self.ours, &url) => {
                request.header(AUTHORIZATION, &known.header)
            }
            Some(_) | None => request,
        })
    }

    fn send(&self, request: RequestBuilder) -> io::Result<Response> {
        let send = async { request.send().await.map_err(reqwest::Error::without_url) };
        self.line.wait(send)
    }

    /// Asks for something, wherever that is.
    fn ask(&self, url: &str, headers: &[String]) -> io::Result<Response> {
        let mut url = url.to_owned();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send(self.request(Method::GET, &url, headers)?)?;
            match next(&response, response.url()) {
                Ok(Some(next)) => url = next.into(),
                Err(Astray) => break,
                Ok(None) => return self.success(response),
            }
        }
        Err(self.redirected())
    }

    fn redirected(&self) -> io::Error {
        let message = "the server redirects to what is no repository".to_owned();
        self.line.fail(GitError::Protocol { url: self.line.url.clone(), message })
    }

    fn success(&self, response: Response) -> io::Result<Response> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let url = self.line.url.clone();
        Err(self.line.fail(match (status, &self.authorization) {
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, Some(authorization)) => {
                GitError::CredentialsRefused { url, from: authorization.from.clone(), status }
            }
            // Servers hide from strangers that a repository exists.
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND, None) => {
                GitError::CredentialsNeeded { url, host: self.host.clone(), status }
            }
            _ => GitError::Status { url, status },
        }))
    }
}

/// A request, and then its answer.
struct Exchange {
    connection: Connection,
    request: Option<RequestBuilder>,
    body: Vec<u8>,
    response: Option<Response>,
}

type Shared = Arc<Mutex<Exchange>>;

fn locked(exchange: &Shared) -> MutexGuard<'_, Exchange> {
    exchange.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Exchange {
    /// The answer; the request is sent by whoever wants it first.
    fn response(&mut self) -> io::Result<&mut Response> {
        if let Some(request) = self.request.take() {
            let body = std::mem::take(&mut self.body);
            let response = self.connection.send(request.body(body))?;
            self.response = Some(self.connection.success(response)?);
        }
        self.response.as_mut().ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }
}

impl Http for Connection {
    type Headers = Headers;
    type ResponseBody = Body;
    type PostBody = Post;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix_error::Result<GetResponse<Headers, Body>> {
        let headers: Vec<String> = headers.into_iter().map(|h| h.as_ref().to_owned()).collect();
        let response = self.ask(url, &headers).map_err(gix_error::Error::from_error)?;
        // What follows goes to where this came from.
        let tail = url.strip_prefix(base_url).unwrap_or(url);
        let Some(moved) = response.url().as_str().strip_suffix(tail) else {
            return Err(gix_error::Error::from_error(self.redirected()));
        };
        self.moved = Some(moved.to_owned());
        let exchange = self.exchange(None, Some(response));
        Ok(GetResponse { headers: Headers::new(&exchange), body: Body::new(exchange) })
    }

    fn post(
        &mut self,
        url: &str,
        _base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        _body: PostBodyDataKind,
    ) -> gix_error::Result<PostResponse<Headers, Body, Post>> {
        let request = self.request(Method::POST, url, headers);
        let request = request.map_err(gix_error::Error::from_error)?;
        let exchange = self.exchange(Some(request), None);
        Ok(PostResponse {
            post_body: Post(Arc::clone(&exchange)),
            headers: Headers::new(&exchange),
            body: Body::new(exchange),
        })
    }

    fn configure(&mut self, _config: &dyn std::any::Any) -> gix_error::Result {
        Ok(())
    }

    fn redirected_base_url(&self) -> Option<String> {
        self.moved.clone()
    }
}

impl Connection {
    fn exchange(&self, request: Option<RequestBuilder>, response: Option<Response>) -> Shared {
        let connection = Self {
            line: Arc::clone(&self.line),
            client: self.client.clone(),
            authorization: self.authorization.clone(),
            host: self.host.clone(),
            ours: self.ours.clone(),
            moved: None,
        };
        Arc::new(Mutex::new(Exchange { connection, request, body: Vec::new(), response }))
    }
}

/// What is sent: collected, as it is small, and sent when the answer is looked at.
pub(super) struct Post(Shared);

impl Write for Post {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        locked(&self.0).body.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The headers of an answer, a line each; only the type of its content is of interest.
pub(super) struct Headers {
    exchange: Shared,
    lines: Option<io::Cursor<Vec<u8>>>,
}

impl Headers {
    fn new(exchange: &Shared) -> Self {
        Self { exchange: Arc::clone(exchange), lines: None }
    }

    fn lines(&mut self) -> io::Result<&mut io::Cursor<Vec<u8>>> {
        if self.lines.is_none() {
            let mut exchange = locked(&self.exchange);
            let kind = exchange.response()?.headers().get(reqwest::header::CONTENT_TYPE);
            let mut line = b"content-type: ".to_vec();
            line.extend_from_slice(kind.map_or(b"none", |kind| kind.as_bytes()));
            line.push(b'\n');
            self.lines = Some(io::Cursor::new(line));
        }
        Ok(self.lines.as_mut().expect("it was just made"))
    }
}

impl Read for Headers {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.lines()?.read(buffer)
    }
}

impl BufRead for Headers {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.lines()?.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        if let Some(lines) = &mut self.lines {
            lines.consume(amount);
        }
    }
}

/// The content of an answer.
pub(super) struct Body {
    exchange: Shared,
    chunk: Bytes,
}

impl Body {
    fn new(exchange: Shared) -> Self {
        Self { exchange, chunk: Bytes::new() }
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Body {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.chunk.is_empty() {
            let mut exchange = locked(&self.exchange);
            let line = Arc::clone(&exchange.connection.line);
            let response = exchange.response()?;
            let chunk = async { response.chunk().await.map_err(reqwest::Error::without_url) };
            match line.wait(chunk)? {
                Some(chunk) => {
                    line.count(chunk.len());
                    self.chunk = chunk;
                }
                None => break,
            }
        }
        Ok(&self.chunk)
    }

    fn consume(&mut self, amount: usize) {
        self.chunk.advance(amount);
    }
}
