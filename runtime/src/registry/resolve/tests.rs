//! Which entry of an index is chosen, and which documents are refused.

use super::*;

fn entry(platform: &str, number: u8) -> Descriptor {
    let mut descriptor =
        Descriptor::new(media_type::OCI_MANIFEST, Digest::from_bytes([number; 32]), 1);
    let mut parts = platform.split('/').map(str::to_owned);
    if let (Some(os), Some(architecture)) = (parts.next(), parts.next()) {
        descriptor.platform = Some(super::super::DescriptorPlatform {
            os,
            architecture,
            variant: parts.next(),
            extra: std::collections::BTreeMap::new(),
        });
    }
    descriptor
}

fn index(platforms: &[&str]) -> Index {
    let entries = platforms.iter().zip(0..).map(|(platform, number)| entry(platform, number));
    Index {
        schema_version: 2,
        media_type: None,
        manifests: entries.collect(),
        annotations: std::collections::BTreeMap::new(),
        extra: std::collections::BTreeMap::new(),
    }
}

#[test]
fn the_entry_that_fits_best_is_chosen() {
    let arms = ["linux/arm/v8", "linux/arm/v5", "linux/arm/v6", "linux/arm64/v8"];
    for (platforms, wanted, expected) in [
        (&["windows/amd64", "linux/386", "linux/amd64"][..], "linux/amd64", Some(2)),
        (&["linux/amd64/v1", "linux/amd64"], "linux/amd64", Some(0)),
        (&["linux/amd64", "linux/amd64/v2", "linux/amd64/v4"], "linux/amd64/v3", Some(1)),
        (&["linux/amd64/v3", "linux/amd64/v2"], "linux/amd64", Some(1)),
        (&["linux/amd64/v3"], "linux/amd64/v2", None),
        (&arms, "linux/arm/v7", Some(2)),
        (&arms, "linux/arm", Some(2)),
        (&arms, "linux/arm/v6", Some(2)),
        (&arms, "linux/arm/v8", Some(0)),
        (&arms, "linux/arm64", Some(3)),
        (&["linux/arm64"], "linux/arm64/v8", Some(0)),
        (&["linux/aarch64"], "linux/arm64", Some(0)),
        (&["linux/arm/v7"], "linux/arm/v6", None),
        (&["unknown/unknown", "linux/arm64"], "linux/amd64", None),
        (&["unknown/unknown", ""], "linux/amd64", Some(1)),
        (&["", "linux/amd64"], "linux/amd64", Some(1)),
        (&["linux/mips64le/odd"], "linux/mips64le", Some(0)),
        (&[], "linux/amd64", None),
    ] {
        let index = index(platforms);
        let chosen = choose(&index, &wanted.parse().unwrap()).map(|entry| entry.digest.bytes()[0]);
        assert_eq!(chosen, expected, "{wanted} of {platforms:?}");
    }
}

#[test]
fn attestations_are_no_platforms() {
    let index = index(&["linux/arm64/v8", "unknown/unknown", "linux/amd64", "linux/arm64"]);
    assert_eq!(available(&index), ["linux/amd64", "linux/arm64"]);
}

fn parsed(media_type: &str, json: &str) -> Result<Document, RegistryError> {
    let bytes = json.as_bytes().to_vec();
    let fetched = Fetched { digest: digest_of(&bytes), media_type: media_type.to_owned(), bytes };
    parse(&fetched, "`x`")
}

#[test]
fn documents_are_what_they_say() {
    let digest = digest_of(b"");
    let config = format!(r#"{{"mediaType": "m", "digest": "{digest}", "size": 2}}"#);
    let image = format!(r#"{{"schemaVersion": 2, "config": {config}, "layers": null}}"#);
    assert!(matches!(parsed(media_type::OCI_MANIFEST, &image), Ok(Document::Image(_))));
    assert!(matches!(parsed("text/plain", &image), Ok(Document::Image(_))));
    let error = parsed(media_type::OCI_INDEX, &image).err().unwrap();
    assert!(matches!(error, RegistryError::Malformed { .. }));
    let index = r#"{"schemaVersion": 2, "manifests": []}"#;
    assert!(matches!(parsed(media_type::DOCKER_INDEX, index), Ok(Document::Index(_))));
    let both = format!(r#"{{"schemaVersion": 2, "config": {config}, "manifests": []}}"#);
    assert!(matches!(parsed("", &both), Err(RegistryError::Malformed { .. })));
    for (media_type, json) in [
        ("application/vnd.docker.distribution.manifest.v1+prettyjws", r#"{"schemaVersion": 1}"#),
        ("", r#"{"schemaVersion": 1, "fsLayers": []}"#),
        ("application/json", r#"{"schemaVersion": 2}"#),
    ] {
        assert!(matches!(parsed(media_type, json), Err(RegistryError::MediaType { .. })), "{json}");
    }
}

#[test]
fn what_is_not_known_is_kept() {
    let digest = digest_of(b"");
    let json = format!(
        r#"{{"schemaVersion":2,"mediaType":"m","config":{{"mediaType":"c","digest":"{digest}","size":2}},"layers":[{{"mediaType":"l","digest":"{digest}","size":3,"annotations":{{"a":"b"}},"data":"eA==","urls":["u"]}}],"annotations":{{"x":"y"}},"subject":{{"size":1}}}}"#
    );
    let manifest: Manifest = serde_json::from_str(&json).unwrap();
    assert_eq!(serde_json::to_string(&manifest).unwrap(), json);
}
