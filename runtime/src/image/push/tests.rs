//! Images pushed to a real registry, and asked for again.
#![expect(clippy::disallowed_methods, reason = "tests run a real registry")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use ir::{DiffId, Platform};
use tempfile::TempDir;

use super::*;
use crate::image::assemble::digest_of;
use crate::registry::{Settings, media_type};

struct Server(Child, String, #[expect(dead_code, reason = "holds its files")] TempDir);

impl Server {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = format!(
            "version: 0.1\nlog: {{level: info}}\n\
             storage: {{filesystem: {{rootdirectory: {:?}}}}}\nhttp: {{addr: '127.0.0.1:0'}}\n",
            directory.path().join("data")
        );
        fs::write(directory.path().join("config.yml"), config).unwrap();
        let mut process = Command::new("docker-registry")
            .arg("serve")
            .arg(directory.path().join("config.yml"))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("these tests need `docker-registry` (Debian's package of that name)");
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let said = |line: String| {
            let behind = line.split_once("listening on ")?.1;
            Some(behind.split([',', '"']).next()?.to_owned())
        };
        let host = lines.by_ref().map_while(Result::ok).find_map(said).expect("it says where");
        // A full pipe would stop it.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self(process, host, directory)
    }

    fn name(&self, name: &str) -> ImageRef {
        format!("{}/{name}", self.1).parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

struct Bench {
    store: Store,
    client: Client,
    directory: TempDir,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("store")).unwrap();
        Self { store, client: Client::new(Settings::default()).unwrap(), directory }
    }

    fn layer(&self, content: &[u8]) -> ImageLayer {
        let digest = digest_of(content);
        let path = self.directory.path().join(digest.hex());
        fs::write(&path, content).unwrap();
        ImageLayer {
            descriptor: Descriptor::new(media_type::OCI_LAYER, digest, content.len() as u64),
            diff_id: DiffId(digest),
            source: LayerSource::Blob(path),
        }
    }

    async fn push(&self, image: &Image, to: &[ImageRef]) -> (Result<(), ExportError>, Vec<Event>) {
        let (events, mut heard) = Events::channel();
        let link = Uplink { client: &self.client, store: &self.store, events: &events };
        let result = push(image, to, ImmutableTags::Fail, link).await;
        drop(events);
        let mut all = Vec::new();
        while let Some(event) = heard.recv().await {
            all.push(event);
        }
        (result, all)
    }
}

fn image(layers: Vec<ImageLayer>) -> Image {
    let config_bytes = format!(
        r#"{{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":{}}}}}"#,
        serde_json::to_string(&layers.iter().map(|layer| layer.diff_id).collect::<Vec<_>>())
            .unwrap()
    )
    .into_bytes();
    let digest = digest_of(&config_bytes);
    let config = Descriptor::new(media_type::OCI_CONFIG, digest, config_bytes.len() as u64);
    let descriptors: Vec<&Descriptor> = layers.iter().map(|layer| &layer.descriptor).collect();
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "config": config,
        "layers": descriptors,
    });
    let manifest_bytes = manifest.to_string().into_bytes();
    let (digest, media_type) = (digest_of(&manifest_bytes), media_type::OCI_MANIFEST.to_owned());
    Image { config_bytes, config, manifest_bytes, media_type, digest, layers }
}

fn exported(events: &[Event]) -> Vec<&str> {
    let mut names = Vec::new();
    for event in events {
        if let Event::Exported { to, .. } = event {
            names.push(to.as_str());
        }
    }
    names
}

#[tokio::test]
async fn every_name_leads_to_the_image() {
    let (server, bench) = (Server::start(), Bench::new());
    let layer = bench.layer(b"one");
    let image = image(vec![layer.clone(), bench.layer(b"two"), layer]);
    let to = ["a:1", "a:2", "b/c:1"].map(|name| server.name(name));
    let (result, events) = bench.push(&image, &to).await;
    result.unwrap();
    assert_eq!(exported(&events), to.each_ref().map(ToString::to_string));
    for name in &to {
        let found = bench.client.resolve(name, &Platform::linux("x86_64")).await.unwrap();
        assert_eq!(found.manifest_bytes, image.manifest_bytes);
        for layer in &image.layers {
            assert!(bench.client.has_blob(name, &layer.descriptor.digest).await.unwrap());
        }
    }
}

#[tokio::test]
async fn layers_of_a_base_come_from_its_registry() {
    let (near, far, bench) = (Server::start(), Server::start(), Bench::new());
    let base = image(vec![bench.layer(b"of the base")]);
    let from = near.name("base:1");
    bench.push(&base, std::slice::from_ref(&from)).await.0.unwrap();

    let mut built = image(vec![base.layers[0].clone(), bench.layer(b"own")]);
    built.layers[0].source = LayerSource::Base(from);
    let digest = built.layers[0].descriptor.digest;
    bench.push(&built, &[near.name("built:1")]).await.0.unwrap();
    assert!(
        bench.store.blob(&digest, built.layers[0].descriptor.size).is_none(),
        "within a registry no byte of it moves"
    );
    bench.push(&built, &[far.name("built:1")]).await.0.unwrap();
    let found = bench.client.resolve(&far.name("built:1"), &Platform::linux("x86_64")).await;
    assert_eq!(found.unwrap().digest, built.digest);
}

#[tokio::test]
async fn a_layer_that_went_ahead_is_not_sent_again() {
    let (server, bench) = (Server::start(), Bench::new());
    let image = image(vec![bench.layer(b"early")]);
    let to = server.name("a:1");
    let (events, _heard) = Events::channel();
    let link = Uplink { client: &bench.client, store: &bench.store, events: &events };
    push_layer(&image.layers[0], &to, link).await.unwrap();
    let LayerSource::Blob(path) = &image.layers[0].source else { panic!("it is a file") };
    fs::remove_file(path).unwrap();
    bench.push(&image, &[to]).await.0.unwrap();
}

#[tokio::test]
async fn a_failure_names_the_destination() {
    let server = Server::start();
    let to = server.name("a:1");
    drop(server);
    let bench = Bench::new();
    let (result, events) =
        bench.push(&image(vec![bench.layer(b"x")]), std::slice::from_ref(&to)).await;
    let error = result.unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot push `{to}`: cannot reach registry")), "{error}");
    assert!(exported(&events).is_empty());
}

#[tokio::test]
async fn a_failure_keeps_nothing_else_from_its_destination() {
    let (server, gone, bench) = (Server::start(), Server::start(), Bench::new());
    let to = [gone.name("a:1"), server.name("a:1"), gone.name("a:2"), server.name("b:1")];
    drop(gone);
    let image = image(vec![bench.layer(b"x")]);
    let (result, events) = bench.push(&image, &to).await;
    let error = result.unwrap_err().to_string();
    let first = format!("cannot push to 2 of 4 destinations\n  `{}`, `{}`: cannot", to[0], to[2]);
    assert!(error.starts_with(&first), "{error}");
    assert_eq!(exported(&events), [to[1].to_string(), to[3].to_string()]);
    for name in [&to[1], &to[3]] {
        let found = bench.client.resolve(name, &Platform::linux("x86_64")).await.unwrap();
        assert_eq!(found.digest, image.digest);
    }
    let error = check(&bench.client, &to).await.unwrap_err().to_string();
    assert!(error.starts_with(&first), "{error}");
    check(&bench.client, &to[1..2]).await.unwrap();
}
