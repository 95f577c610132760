//! Images with mirrors: which places are asked, for what, and for how long.

use super::server::{Fake, Reply};
use super::*;

/// A client that finds the images of `r.test` at some places, one after the other.
fn mirrored(hosts: &[&str], settings: Settings) -> Client {
    let mut mirrors = Mirrors::default();
    for host in hosts {
        mirrors.map(&format!("r.test={host}")).unwrap();
    }
    mirrors.refuse_fallback();
    client(Settings { mirrors, ..settings })
}

/// A registry that has one image under every name; `spoil` may answer instead.
async fn having(
    image: &TestImage,
    spoil: impl Fn(&str) -> Option<Reply> + Send + Sync + 'static,
) -> Fake {
    let documents = [&image.manifest, &image.config, &image.layer];
    let documents = documents.map(|bytes| (digest_of(bytes).to_string(), bytes.clone()));
    let media_type = image.media_type;
    Fake::start(move |request, _| {
        let line = request.lines().next().unwrap_or_default();
        if line.starts_with("GET /v2/ ") {
            return Reply::new("200 OK", "");
        }
        if let Some(reply) = spoil(request) {
            return reply;
        }
        if line.contains("/manifests/") {
            return Reply::new("200 OK", &documents[0].1).with("Content-Type", media_type);
        }
        match documents.iter().find(|(digest, _)| line.contains(digest)) {
            Some((_, bytes)) => Reply::new("200 OK", bytes),
            None => Reply::new("404 Not Found", ""),
        }
    })
    .await
}

/// A port where nobody listens.
fn dead() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

fn sample() -> TestImage {
    TestImage::new(noise(1000), "amd64", false)
}

#[tokio::test]
async fn what_a_place_does_not_give_comes_from_the_next() {
    let sample = sample();
    let busy = "429 Too Many Requests";
    let refusing = having(&sample, |_| Some(Reply::new("403 Forbidden", ""))).await;
    // Nobody waits for this one, which another attempt may help.
    let busy = having(&sample, |_| Some(Reply::new(busy, "").with("Retry-After", "100"))).await;
    let wrong = having(&sample, |request| {
        request.contains("/manifests/").then(|| Reply::new("200 OK", "{}"))
    })
    .await;
    let right = having(&sample, |_| None).await;
    let nobody = dead();
    let hosts = [&*nobody, &refusing.host, &busy.host, &wrong.host, &format!("{}/a", right.host)];
    let client = mirrored(&hosts, Settings { pull_retries: 1, ..Settings::default() });
    let asked = image("r.test", "x/y:1");
    let found = client.resolve(&asked, &amd64()).await.unwrap();
    assert_eq!(found.place, image(&right.host, "a/x/y:1"));
    assert_eq!(found.manifest_bytes, sample.manifest);
    let passed: Vec<String> = found.passed_over.iter().map(|p| p.place.to_string()).collect();
    assert_eq!(passed, hosts[..4].iter().map(|h| format!("{h}/x/y:1")).collect::<Vec<_>>());
    assert!(matches!(
        &found.passed_over.iter().map(|passed| &passed.error).collect::<Vec<_>>()[..],
        [
            RegistryError::Unreachable { attempts: 1, .. },
            _,
            RegistryError::Server { status: 429, attempts: 1, .. },
            RegistryError::MediaType { .. },
        ]
    ));

    // What could not be reached is not waited for again.
    let found = client.resolve(&image("r.test", "z"), &amd64()).await.unwrap();
    assert_eq!(found.passed_over.len(), 3);
}

#[tokio::test]
async fn layers_come_from_where_the_image_was_and_else_from_elsewhere() {
    let sample = sample();
    let layer_name = digest_of(&sample.layer).to_string();
    let lost = having(&sample, move |request| {
        let layer = request.lines().next().unwrap_or_default().contains(&layer_name);
        layer.then(|| Reply::new("404 Not Found", ""))
    })
    .await;
    let none = having(&sample, |request| {
        request.contains("/manifests/").then(|| Reply::new("404 Not Found", ""))
    })
    .await;
    let fetched = async |hosts: &[&str]| {
        let client = mirrored(hosts, Settings::default());
        let found = client.resolve(&image("r.test", "x"), &amd64()).await.unwrap();
        let (_dir, store) = open_store();
        let layer = &found.manifest.layers[0];
        let path = client.fetch(&found.place, layer, &store, |_| {}).await.unwrap();
        assert_eq!(std::fs::read(path).unwrap(), sample.layer);
        found.place
    };
    // The first one has no manifest: nor is it asked for the layer, which it has.
    let whole = having(&sample, |_| None).await;
    assert_eq!(fetched(&[&none.host, &whole.host]).await, image(&whole.host, "x"));
    assert!(none.requests("GET /v2/x/blobs/").is_empty());
    // The first one has lost the layer, which the second one has, and no manifest.
    assert_eq!(fetched(&[&lost.host, &none.host]).await, image(&lost.host, "x"));
    assert_eq!(none.requests("GET /v2/x/blobs/").len(), 1);
}

#[tokio::test]
async fn the_last_place_is_waited_for_as_if_it_were_the_only_one() {
    let fake = having(&sample(), |_| Some(Reply::new("503 Service Unavailable", ""))).await;
    let client = mirrored(&[&fake.host], Settings { pull_retries: 2, ..Settings::default() });
    let error = client.resolve(&image("r.test", "x"), &amd64()).await.unwrap_err();
    let RegistryError::Nowhere { tried, not_asked, .. } = error else { panic!("{error}") };
    assert!(matches!(tried[0].error, RegistryError::Server { attempts: 3, .. }), "{tried:?}");
    assert_eq!(not_asked.as_deref(), Some("r.test"));
}
