//! Pull and push, against real registries.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use ir::{ImageRef, Platform};
use serde_json::json;

use super::resolve::digest_of;
use super::*;
use crate::store::Store;

mod server;

use server::{Fake, Registry, Reply};

fn client(settings: Settings) -> Client {
    Client::new(Settings { user_agent: "test".to_owned(), ..settings }).unwrap()
}

fn plain() -> Client {
    client(Settings::default())
}

fn patient(retries: u32) -> Client {
    let reach = Reach { retries, ..Reach::default() };
    client(Settings { pull: reach, push: reach, ..Settings::default() })
}

fn with_login(host: &str, user: &str, password: &str) -> Client {
    let config = json!({"auths": {host: {"username": user, "password": password}}});
    let credentials = Credentials::from_docker_config(&config.to_string()).unwrap();
    client(Settings { credentials, ..Settings::default() })
}

fn image(host: &str, name: &str) -> ImageRef {
    format!("{host}/{name}").parse().unwrap()
}

fn amd64() -> Platform {
    "linux/amd64".parse().unwrap()
}

/// Bytes that do not repeat.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

/// The documents of an image with one layer, in either dialect.
struct TestImage {
    layer: Vec<u8>,
    config: Vec<u8>,
    manifest: Vec<u8>,
    media_type: &'static str,
}

impl TestImage {
    fn new(layer: Vec<u8>, architecture: &str, docker: bool) -> Self {
        let (media_type, config_type, layer_type) = if docker {
            (media_type::DOCKER_MANIFEST, media_type::DOCKER_CONFIG, media_type::DOCKER_LAYER)
        } else {
            (media_type::OCI_MANIFEST, media_type::OCI_CONFIG, media_type::OCI_LAYER)
        };
        let config = json!({
            "architecture": architecture, "os": "linux",
            "config": {"Env": ["A=b"]},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(&layer)]},
        });
        let config = config.to_string().into_bytes();
        let descriptor = |media_type, bytes: &[u8]| {
            Descriptor::new(media_type, digest_of(bytes), bytes.len() as u64)
        };
        let manifest = Manifest {
            schema_version: 2,
            media_type: Some(media_type.to_owned()),
            config: descriptor(config_type, &config),
            layers: vec![descriptor(layer_type, &layer)],
            annotations: BTreeMap::new(),
            extra: BTreeMap::new(),
        };
        let manifest = serde_json::to_vec(&manifest).unwrap();
        Self { layer, config, manifest, media_type }
    }

    async fn push(&self, client: &Client, to: &ImageRef) -> Result<Digest, RegistryError> {
        let dir = tempfile::tempdir().unwrap();
        for bytes in [&self.layer, &self.config] {
            push_bytes(client, to, dir.path(), bytes).await?;
        }
        client.push_manifest(to, self.media_type, &self.manifest).await
    }
}

async fn push_bytes(
    client: &Client,
    to: &ImageRef,
    dir: &Path,
    bytes: &[u8],
) -> Result<(), RegistryError> {
    let path = dir.join("blob");
    std::fs::write(&path, bytes).unwrap();
    client.push_blob(to, &digest_of(bytes), bytes.len() as u64, &path, |_| {}).await
}

fn open_store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    (dir, store)
}

#[tokio::test]
async fn what_was_pushed_is_pulled() {
    let registry = Registry::start();
    let client = plain();
    for docker in [false, true] {
        let to = image(&registry.host, &format!("team/app:docker-{docker}"));
        let pushed = TestImage::new(noise(6_000_000), "amd64", docker);
        let layer = digest_of(&pushed.layer);
        if !docker {
            assert!(!client.has_blob(&to, &layer).await.unwrap());
        }
        let digest = pushed.push(&client, &to).await.unwrap();
        assert!(client.has_blob(&to, &layer).await.unwrap());

        for reference in [to.clone(), to.with_digest(digest)] {
            let pulled = client.resolve(&reference, &amd64()).await.unwrap();
            assert_eq!(pulled.digest, digest);
            assert_eq!(pulled.media_type, pushed.media_type);
            assert_eq!(pulled.manifest_bytes, pushed.manifest);
            assert_eq!(pulled.config_bytes, pushed.config);
            assert_eq!(pulled.config.config.env("A"), Some("b"));

            let (_dir, store) = open_store();
            let most = AtomicU64::new(0);
            let progress = |bytes| most.store(bytes, Ordering::Relaxed);
            let layer = &pulled.manifest.layers[0];
            let path = client.fetch(&reference, layer, &store, progress).await.unwrap();
            assert_eq!(std::fs::read(path).unwrap(), pushed.layer);
            assert_eq!(most.load(Ordering::Relaxed), layer.size);
        }
    }
}

#[tokio::test]
async fn a_blob_is_mounted_from_another_repository() {
    let registry = Registry::start();
    let client = plain();
    let (from, to) = (image(&registry.host, "from"), image(&registry.host, "to"));
    let dir = tempfile::tempdir().unwrap();
    push_bytes(&client, &from, dir.path(), b"layer").await.unwrap();
    assert!(client.mount_blob(&to, &from, &digest_of(b"layer")).await.unwrap());
    assert!(client.has_blob(&to, &digest_of(b"layer")).await.unwrap());
    assert!(!client.mount_blob(&to, &from, &digest_of(b"other")).await.unwrap());
}

#[tokio::test]
async fn an_index_gives_the_image_for_the_platform() {
    let registry = Registry::start();
    let client = plain();
    let to = image(&registry.host, "multi:1");
    let mut manifests = Vec::new();
    for architecture in ["arm64", "amd64"] {
        let one = TestImage::new(architecture.into(), architecture, false);
        let tag = image(&registry.host, &format!("multi:{architecture}"));
        let digest = one.push(&client, &tag).await.unwrap();
        let size = one.manifest.len();
        manifests.push(json!({
            "mediaType": one.media_type, "digest": digest, "size": size,
            "platform": {"os": "linux", "architecture": architecture},
        }));
    }
    let inner = json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX,
        "manifests": manifests});
    let inner = inner.to_string().into_bytes();
    client.push_manifest(&to, media_type::OCI_INDEX, &inner).await.unwrap();
    let outer = json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": [
        {"mediaType": media_type::OCI_INDEX, "digest": digest_of(&inner), "size": inner.len()}
    ]});
    let nested = image(&registry.host, "multi:nested");
    let outer = outer.to_string().into_bytes();
    client.push_manifest(&nested, media_type::OCI_INDEX, &outer).await.unwrap();

    for reference in [&to, &nested] {
        let found = client.resolve(reference, &amd64()).await.unwrap();
        assert_eq!(found.config.architecture, "amd64");
    }
    let error = client.resolve(&to, &"linux/s390x".parse().unwrap()).await.unwrap_err();
    let RegistryError::NoPlatform { available, .. } = error else { panic!("{error}") };
    assert_eq!(available, ["linux/amd64", "linux/arm64"]);
}

#[tokio::test]
async fn passwords_are_used_and_missed() {
    let registry = Registry::with_password();
    let to = image(&registry.host, "private:1");
    let pushed = TestImage::new(b"x".to_vec(), "amd64", false);
    let right = with_login(&registry.host, "user", "right horse");
    pushed.push(&right, &to).await.unwrap();
    right.resolve(&to, &amd64()).await.unwrap();

    let error = plain().resolve(&to, &amd64()).await.unwrap_err();
    let host = &registry.host;
    assert!(
        matches!(&error, RegistryError::CredentialsNeeded { registry, .. } if registry == host),
        "{error}"
    );
    let wrong = with_login(&registry.host, "user", "wrong horse");
    for error in [
        wrong.resolve(&to, &amd64()).await.unwrap_err(),
        pushed.push(&wrong, &to).await.unwrap_err(),
    ] {
        assert!(
            matches!(&error, RegistryError::CredentialsRefused { user, .. } if user == "user `user`"),
            "{error}"
        );
        assert!(!format!("{error:?}").contains("wrong horse"));
    }
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let registry = Registry::start();
    let missing = image(&registry.host, "no/such:tag");
    let error = plain().resolve(&missing, &amd64()).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotFound { .. }), "{error}");
    assert!(error.to_string().contains(&missing.to_string()), "{error}");
    let (_dir, store) = open_store();
    let layer = Descriptor::new(media_type::OCI_LAYER, digest_of(b"x"), 1);
    let error = plain().fetch(&missing, &layer, &store, |_| {}).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn a_registry_that_is_not_there_is_tried_as_often_as_told() {
    // The port is free: it was just given back.
    let host = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let reference = image(&host.to_string(), "x");
    let error = patient(2).resolve(&reference, &amd64()).await.unwrap_err();
    let RegistryError::Unreachable { registry, attempts: 3, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*registry, host.to_string());
}

#[tokio::test]
async fn corrupted_content_is_refused() {
    let registry = Registry::start();
    let to = image(&registry.host, "app:1");
    let pushed = TestImage::new(noise(100_000), "amd64", false);
    pushed.push(&plain(), &to).await.unwrap();
    let resolved = plain().resolve(&to, &amd64()).await.unwrap();
    let layer = &resolved.manifest.layers[0];
    let mut bytes = pushed.layer.clone();
    bytes[50_000] ^= 1;
    std::fs::write(registry.blob(&layer.digest), &bytes).unwrap();

    let (_dir, store) = open_store();
    let error = patient(1).fetch(&to, layer, &store, |_| {}).await.unwrap_err();
    let RegistryError::Digest { expected, got, attempts: 2, .. } = error else { panic!("{error}") };
    assert_eq!((expected, got), (layer.digest, digest_of(&bytes)));
    assert_eq!(store.blob(&layer.digest), None);

    bytes.pop();
    std::fs::write(registry.blob(&layer.digest), &bytes).unwrap();
    let error = plain().fetch(&to, layer, &store, |_| {}).await.unwrap_err();
    assert!(matches!(error, RegistryError::Size { expected: 100_000, got: 99_999, .. }), "{error}");

    let config = digest_of(&pushed.config);
    std::fs::write(registry.blob(&config), vec![b' '; pushed.config.len()]).unwrap();
    let error = plain().resolve(&to, &amd64()).await.unwrap_err();
    assert!(matches!(error, RegistryError::Digest { expected, .. } if expected == config));
}

#[tokio::test]
async fn a_certificate_must_be_trusted() {
    let registry = Registry::start_with(|dir| {
        make_certificate(dir);
        let (certificate, key) = (dir.join("cert.pem"), dir.join("key.pem"));
        format!("tls: {{certificate: {certificate:?}, key: {key:?}}}")
    });
    let host = &registry.host;
    let to = image(host, "app:1");
    let pushed = TestImage::new(b"x".to_vec(), "amd64", false);
    let error = pushed.push(&plain(), &to).await.unwrap_err();
    assert!(matches!(error, RegistryError::Untrusted { .. }), "{error:?}");

    let certificates = [(host.clone(), registry.dir().join("cert.pem"))].into();
    let trusting = client(Settings { certificates, ..Settings::default() });
    pushed.push(&trusting, &to).await.unwrap();
    let skip_tls_verify_registries = [host.clone()].into();
    let careless = client(Settings { skip_tls_verify_registries, ..Settings::default() });
    careless.resolve(&to, &amd64()).await.unwrap();
}

#[expect(clippy::disallowed_methods, reason = "tests run real tools")]
fn make_certificate(dir: &Path) {
    let made = std::process::Command::new("openssl")
        .args(["req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
        .args(["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(dir)
        .output()
        .expect("this test needs `openssl`");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

#[tokio::test]
async fn a_broken_pull_goes_on_where_it_broke() {
    let bytes = noise(300_000);
    let served = bytes.clone();
    let fake = Fake::start(move |request, _| {
        let range = request.lines().find_map(|line| line.strip_prefix("range: bytes="));
        match range.and_then(|range| range.strip_suffix('-')) {
            _ if request.starts_with("GET /v2/ ") => Reply::new("200 OK", ""),
            None => Reply::new("200 OK", &served).cut(100_000),
            Some("100000") => Reply::new("206 Partial Content", &served[100_000..])
                .with("Content-Range", "bytes 100000-299999/300000")
                .cut(50_000),
            // Now it forgets that it can do ranges.
            Some(_) => Reply::new("200 OK", &served),
        }
    })
    .await;
    let (_dir, store) = open_store();
    let layer = Descriptor::new(media_type::OCI_LAYER, digest_of(&bytes), 300_000);
    let from = image(&fake.host, "x");
    let path = patient(2).fetch(&from, &layer, &store, |_| {}).await.unwrap();
    assert_eq!(std::fs::read(path).unwrap(), bytes);
    assert_eq!(fake.requests("GET /v2/x/blobs/").len(), 3);
}

#[tokio::test]
async fn a_blob_that_many_want_is_fetched_once() {
    let fake = Fake::start(|_, _| Reply::new("200 OK", "layer")).await;
    let (_dir, store) = open_store();
    let layer = Descriptor::new(media_type::OCI_LAYER, digest_of(b"layer"), 5);
    let from = image(&fake.host, "x");
    let client = plain();
    let wanted = (0..5).map(|_| client.fetch(&from, &layer, &store, |_| {}));
    for path in futures_util::future::join_all(wanted).await {
        assert_eq!(path.unwrap(), store.blob(&layer.digest).unwrap());
    }
    assert_eq!(fake.requests("GET /v2/x/blobs/").len(), 1);
}

#[tokio::test]
async fn more_than_was_announced_is_not_stored() {
    let fake = Fake::start(|_, _| Reply::new("200 OK", vec![0; 100_000])).await;
    let (_dir, store) = open_store();
    let layer = Descriptor::new(media_type::OCI_LAYER, digest_of(b"layer"), 5);
    let error = plain().fetch(&image(&fake.host, "x"), &layer, &store, |_| {}).await.unwrap_err();
    assert!(matches!(error, RegistryError::Size { expected: 5, .. }), "{error}");
}

#[tokio::test]
async fn a_busy_registry_is_asked_again_and_quoted() {
    let fake = Fake::start(|request, _| {
        if request.starts_with("GET /v2/ ") {
            return Reply::new("200 OK", "");
        }
        let body = r#"{"errors": [{"code": "TOOMANYREQUESTS", "message": "slow\u001b down"}]}"#;
        Reply::new("429 Too Many Requests", body).with("Retry-After", "0")
    })
    .await;
    let error = patient(2).resolve(&image(&fake.host, "x"), &amd64()).await.unwrap_err();
    let RegistryError::Server { status: 429, attempts: 3, message, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(message, "slow down");
    assert_eq!(fake.requests("GET /v2/x/manifests/latest").len(), 3);
}

/// A registry with a token server beside it that gives `one`, `two`, …, of which `good` is good.
async fn with_tokens(good: &'static str) -> Fake {
    let given = AtomicU64::new(0);
    Fake::start(move |request, host| {
        if request.starts_with("GET /token") || request.starts_with("POST /token") {
            let names = ["one", "two", "three"];
            let count = usize::try_from(given.fetch_add(1, Ordering::Relaxed)).unwrap();
            return Reply::new("200 OK", json!({"access_token": names[count]}).to_string());
        }
        if request.contains(&format!("authorization: Bearer {good}\r\n")) {
            return Reply::new("200 OK", "layer");
        }
        let challenge = format!(r#"Bearer realm="http://{host}/token",service="s p",scope="more""#);
        Reply::new("401 Unauthorized", "").with("WWW-Authenticate", challenge)
    })
    .await
}

async fn fetch_layer(client: &Client, host: &str) -> Result<PathBuf, RegistryError> {
    let (_dir, store) = open_store();
    let layer = Descriptor::new(media_type::OCI_LAYER, digest_of(b"layer"), 5);
    client.fetch(&image(host, "a/b"), &layer, &store, |_| {}).await
}

#[tokio::test]
async fn tokens_are_fetched_once_and_again_when_they_are_refused() {
    let fake = with_tokens("one").await;
    let client = plain();
    for _ in 0..3 {
        fetch_layer(&client, &fake.host).await.unwrap();
    }
    let asked = fake.requests("GET /token");
    assert_eq!(asked.len(), 1);
    assert!(asked[0].starts_with("GET /token?service=s+p&scope=repository%3Aa%2Fb%3Apull&"));

    let fake = with_tokens("two").await;
    fetch_layer(&plain(), &fake.host).await.unwrap();
    assert_eq!(fake.requests("GET /token").len(), 2);

    let fake = with_tokens("none").await;
    let error = fetch_layer(&plain(), &fake.host).await.unwrap_err();
    assert!(matches!(error, RegistryError::CredentialsNeeded { .. }), "{error:?}");
    assert_eq!(fake.requests("GET /token").len(), 2);
}

#[tokio::test]
async fn each_kind_of_login_is_shown_in_its_way() {
    let fetch = async |entry: serde_json::Value| {
        let fake = with_tokens("one").await;
        let config = json!({"auths": {&fake.host: entry}});
        let credentials = Credentials::from_docker_config(&config.to_string()).unwrap();
        let client = client(Settings { credentials, ..Settings::default() });
        fetch_layer(&client, &fake.host).await.unwrap();
        fake
    };
    let fake = fetch(json!({"username": "u", "password": "p"})).await;
    let asked = fake.requests("GET /token").remove(0);
    assert!(asked.contains("authorization: Basic dTpw\r\n") && asked.contains("account=u"));

    let fake = fetch(json!({"identitytoken": "i&t"})).await;
    let asked = fake.requests("POST /token").remove(0);
    let form = asked.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(
        form,
        "grant_type=refresh_token&client_id=kaniko&scope=repository%3Aa%2Fb%3Apull+more&\
         refresh_token=i%26t&service=s+p"
    );
    let fake = fetch(json!({"registrytoken": "one"})).await;
    assert_eq!(fake.requests("GET /token").len() + fake.requests("POST /token").len(), 0);
}

#[tokio::test]
async fn credentials_go_to_nobody_else() {
    let other = Fake::start(|_, _| Reply::new("200 OK", "layer")).await;
    let elsewhere = format!("http://{}/storage", other.host);
    let fake = Fake::start(move |request, _| {
        if request.contains("authorization: Basic") && request.starts_with("POST") {
            return Reply::new("202 Accepted", "").with("Location", elsewhere.clone());
        }
        if request.contains("authorization: Basic") && request.starts_with("HEAD") {
            return Reply::new("404 Not Found", "");
        }
        if request.contains("authorization: Basic") {
            return Reply::new("307 Temporary Redirect", "").with("Location", elsewhere.clone());
        }
        Reply::new("401 Unauthorized", "").with("WWW-Authenticate", "Basic realm=x")
    })
    .await;
    let client = with_login(&fake.host, "u", "p");
    fetch_layer(&client, &fake.host).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    push_bytes(&client, &image(&fake.host, "x"), dir.path(), b"layer").await.unwrap();
    let (pulled, pushed) = (other.requests("GET /storage"), other.requests("PUT /storage?digest="));
    assert_eq!((pulled.len(), pushed.len()), (1, 1));
    for request in pulled.iter().chain(&pushed) {
        assert!(!request.contains("authorization"), "{request}");
    }
}

#[tokio::test]
async fn a_dropped_pull_leaves_nothing() {
    let bytes = noise(200_000);
    let served = bytes.clone();
    let fake = Fake::start(move |_, _| Reply::new("200 OK", &served)).await;
    let (dir, store) = open_store();
    let layer = Descriptor::new(media_type::OCI_LAYER, digest_of(&bytes), 200_000);
    let from = image(&fake.host, "x");
    let client = plain();
    {
        let begun = tokio::sync::Notify::new();
        let fetch = client.fetch(&from, &layer, &store, |_| begun.notify_one());
        tokio::select! {
            biased;
            () = begun.notified() => {}
            path = fetch => panic!("it ended first: {path:?}"),
        }
    }
    assert_eq!(store.blob(&layer.digest), None);
    // What was dropped holds no lock, and its end of the store goes with it.
    client.fetch(&from, &layer, &store, |_| {}).await.unwrap();
    drop(store);
    let work = std::fs::File::open(dir.path().join("work")).unwrap();
    while !crate::rootdir::names(rustix::fd::AsFd::as_fd(&work)).unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
}
