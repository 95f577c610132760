//! Pull and push, against real registries.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use ir::Platform;
use serde_json::json;

use super::resolve::digest_of;
use super::*;
use crate::store::Store;

mod mirrored;
mod scripted;
mod server;

use server::Registry;

fn client(settings: Settings) -> Client {
    Client::new(Settings { user_agent: "test".to_owned(), ..settings }).unwrap()
}

fn plain() -> Client {
    client(Settings::default())
}

fn patient(retries: u32) -> Client {
    client(Settings { pull_retries: retries, push_retries: retries, ..Settings::default() })
}

/// Those of a docker config.
fn credentials(config: &serde_json::Value) -> Credentials {
    let place = Place::File("/home/config.json".into());
    Credentials::of(vec![Source::docker_config(place, &config.to_string()).unwrap()])
}

fn with_login(host: &str, user: &str, password: &str) -> Client {
    let config = json!({"auths": {host: {"username": user, "password": password}}});
    let credentials = credentials(&config);
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

    let shown = |error: RegistryError| {
        assert!(!format!("{error:?}").contains("wrong horse"));
        error.to_string().replace(&registry.host, "HOST")
    };
    let error = plain().resolve(&to, &amd64()).await.unwrap_err();
    assert!(matches!(error, RegistryError::CredentialsNeeded { .. }));
    assert_eq!(
        shown(error),
        "cannot access `HOST/private:1`: `HOST` asks for credentials, and none were found for it; \
         log in to it, or check the name (authentication required)"
    );
    let other = with_login("other.io", "user", "right horse");
    let error = other.resolve(&to, &amd64()).await.unwrap_err();
    assert!(matches!(error, RegistryError::CredentialsNeeded { .. }));
    assert_eq!(
        shown(error),
        "cannot access `HOST/private:1`: `HOST` asks for credentials, and none were found for it \
         in `/home/config.json`; log in to it, or check the name (authentication required)"
    );
    let wrong = with_login(&registry.host, "user", "wrong horse");
    let error = wrong.resolve(&to, &amd64()).await.unwrap_err();
    assert!(matches!(error, RegistryError::CredentialsRefused { .. }));
    assert_eq!(
        shown(error),
        "cannot access `HOST/private:1`: `HOST` refuses the credentials of user `user` from the \
         entry `HOST` of `/home/config.json`: authentication required; check that they are \
         current and allow it"
    );
    let error = pushed.push(&wrong, &to).await.unwrap_err();
    assert!(matches!(error, RegistryError::CredentialsRefused { .. }));
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
    assert_eq!(store.blob(&layer.digest, layer.size), None);

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

#[tokio::test]
async fn a_client_proves_who_it_is() {
    let registry = Registry::start_with(|dir| {
        make_certificate(dir);
        let (certificate, key) = (dir.join("cert.pem"), dir.join("key.pem"));
        format!("tls: {{certificate: {certificate:?}, key: {key:?}, clientcas: [{certificate:?}]}}")
    });
    let to = image(&registry.host, "app:1");
    let pushed = TestImage::new(b"x".to_vec(), "amd64", false);
    let certificate = registry.dir().join("cert.pem");
    let certificates: BTreeMap<_, _> = [(registry.host.clone(), certificate.clone())].into();
    let settings = Settings { certificates, ..Settings::default() };
    assert!(pushed.push(&client(settings.clone()), &to).await.is_err());

    let key = registry.dir().join("key.pem");
    let proof = ClientCertificate { certificate, key };
    let client_certificates = [(registry.host.clone(), proof)].into();
    pushed.push(&client(Settings { client_certificates, ..settings }), &to).await.unwrap();
}

/// Builds run these on a runtime with many threads.
#[test]
fn futures_are_send() {
    fn is_send(_: impl Send) {}
    let (client, image, platform) = (plain(), image("r.io", "x"), amd64());
    let (_dir, store) = open_store();
    let blob = Descriptor::new(media_type::OCI_LAYER, digest_of(b""), 0);
    is_send(client.resolve(&image, &platform));
    is_send(client.fetch(&image, &blob, &store, |_| {}));
    is_send(client.mount_blob(&image, &image, &blob.digest));
    is_send(client.push_blob(&image, &blob.digest, 0, Path::new("x"), |_| {}));
    is_send(client.push_manifest(&image, media_type::OCI_INDEX, b"{}"));
}

/// References are read by `ir`; `oci-client` reads them on its own.
#[test]
fn references_mean_what_others_think() {
    for text in ["alpine", "a/b:1", "localhost:5000/x", "r.io/a/b/c:T_1", "index.docker.io/x"] {
        let (ours, theirs): (ImageRef, oci_client::Reference) =
            (text.parse().unwrap(), text.parse().unwrap());
        assert_eq!(ours.registry(), theirs.registry());
        assert_eq!(ours.repository(), theirs.repository());
        assert_eq!(ours.tag(), theirs.tag());
    }
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
